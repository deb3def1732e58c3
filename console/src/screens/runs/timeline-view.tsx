/** A run over time: a bar for each stage and each run that it started, and a mark for each page. */
import type { Schemas } from '../../api/client'
import { Link, path } from '../../router'
import { Panel } from '../../ui/parts'
import { localTime, TIME_ZONE } from '../../ui/time'
import { formatAge, formatNumber, formatSeconds } from '../../ui/values'
import { attemptsOf, eventText, type Attempt, type Bar } from './timeline'

export function Timeline({ events, active }: { events: Schemas['RunEventView'][]; active: boolean }) {
  const attempts = attemptsOf(events, active, Date.now())
  return (
    <Panel title="Timeline">
      <div class="stack">
        {attempts.map((attempt) => (
          <AttemptView key={attempt.number} attempt={attempt} only={attempts.length === 1} />
        ))}
        <details>
          <summary>All {formatNumber(events.length)} events, in the time of {TIME_ZONE}</summary>
          <ol class="events">
            {events.map((event, index) => (
              <li key={index}>
                <time class="mono muted" dateTime={event.time} title={event.time}>
                  {localTime(Date.parse(event.time) / 1000)}
                </time> <span>{eventText(event)}</span>
              </li>
            ))}
          </ol>
        </details>
      </div>
    </Panel>
  )
}

function AttemptView({ attempt, only }: { attempt: Attempt; only: boolean }) {
  const { start, end, bars, marks, earlier } = attempt
  const share = (time: number) => `${(((time - start) / (end - start)) * 100).toFixed(3)}%`
  const failed = marks.filter((mark) => mark.failed).reduce((sum, mark) => sum + mark.count, 0)
  const received = marks.filter((mark) => !mark.failed).reduce((sum, mark) => sum + mark.count, 0)
  return (
    <div>
      {!only && (
        <h3>
          Attempt {attempt.number} <span class="muted">{formatAge(new Date(start).toISOString())}</span>
        </h3>
      )}
      <ul class="plain timeline">
        {bars.map((bar, index) => (
          <BarRow key={index} bar={bar} left={share(bar.start)} width={share(start + bar.end - bar.start)} />
        ))}
        {earlier > 0 && (
          <li class="lane">
            <span class="lane-name">pages</span>
            <span class="muted">
              {formatNumber(earlier)} {earlier === 1 ? 'page' : 'pages'} of earlier runs, read again
            </span>
            <span />
          </li>
        )}
        {marks.length > 0 && (
          <li class="lane">
            <span class="lane-name">pages</span>
            <span class="track" aria-hidden="true">
              {marks.map((mark, index) => (
                <span key={index} class={`tick ${mark.failed ? 'failed' : ''}`} style={{ left: share(mark.at) }} title={mark.text} />
              ))}
            </span>
            <span class="lane-time">
              {formatNumber(received)}
              {failed > 0 && <span class="bad-text">, {formatNumber(failed)} failed</span>}
            </span>
          </li>
        )}
        <li class="lane axis" aria-hidden="true">
          <span />
          <span class="track">
            {[0, 0.25, 0.5, 0.75, 1].map((part) => (
              <span key={part} style={{ left: `${part * 100}%` }}>
                {formatSeconds(((end - start) / 1000) * part)}
              </span>
            ))}
          </span>
          <span />
        </li>
      </ul>
    </div>
  )
}

function BarRow({ bar, left, width }: { bar: Bar; left: string; width: string }) {
  return (
    <li class="lane">
      <span class={`lane-name ${bar.kind}`}>{bar.run ? <Link to={path`/runs/${bar.run}`}>{bar.name}</Link> : bar.name}</span>
      <span class="track" aria-hidden="true">
        <span class={`bar ${bar.kind} ${bar.status ?? ''} ${bar.isOpen ? 'open' : ''}`} style={{ left, width }} />
      </span>
      <span class="lane-time">
        {formatSeconds((bar.end - bar.start) / 1000)}
        {bar.status && bar.status !== 'succeeded' && <span class="bad-text">, {bar.status}</span>}
        {bar.isOpen && <span class="muted"> so far</span>}
      </span>
    </li>
  )
}
