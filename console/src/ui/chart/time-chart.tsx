import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { localTime } from '../time'
import { formatNumber } from '../values'
import './time-chart.css'

export interface Series {
  label: string
  /** One value for each time; null leaves a gap, and a line goes on over undefined. */
  values: (number | null | undefined)[]
  /** The name of a colour token; by default the next of the chart's colours. */
  color?: string
  dashed?: boolean
  /** Points without a line, such as values of bad quality. */
  points?: boolean
  /** A thin line at the edge of the band. */
  thin?: boolean
}

export interface ChartProps {
  /** What it shows, for people who do not see it. */
  label: string
  /** Unix seconds, ascending. */
  times: number[]
  series: Series[]
  unit?: string
  height?: number
  /** Horizontal lines, such as the limits of a sensor. */
  limits?: { label: string; value: number }[]
  /** The span that the horizontal axis shows, in Unix seconds; by default that of the times. */
  span?: { from: number; to: number }
  /** Values that the vertical axis always shows. */
  include?: number[]
  /** Vertical lines, such as the times of alarms, in Unix seconds. */
  marks?: { label: string; time: number }[]
  /** The indexes of two series, the higher and the lower one, with the space between them filled. */
  band?: [number, number]
  /** Charts of one key show the cursor at the same time. */
  group?: string
  /** Called with Unix seconds when the user has selected a span with the mouse, and with null on a double click. */
  onZoom?: (span: { from: number; to: number } | null) => void
}

/** uPlot: made for long time series, 50 kB, and draws 100,000 points in milliseconds. */
export function TimeChart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const newest = useRef(props)
  newest.current = props
  const shape = JSON.stringify([props.series.map((one) => [one.label, one.color, one.dashed, one.points, one.thin]), props.limits, props.unit, props.height, props.band, props.group])

  useEffect(() => {
    const element = box.current!
    const plot = new uPlot(options(newest, element), data(props), element)
    const resize = () => plot.setSize({ width: element.clientWidth, height: props.height ?? 240 })
    const observer = new ResizeObserver(resize)
    observer.observe(element)
    const theme = new MutationObserver(() => plot.redraw(false))
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    const restore = () => newest.current.onZoom?.(null)
    element.addEventListener('dblclick', restore)
    drawn.set(element, plot)
    return () => {
      observer.disconnect()
      theme.disconnect()
      element.removeEventListener('dblclick', restore)
      plot.destroy()
    }
  }, [shape])

  useEffect(() => {
    drawn.get(box.current!)?.setData(data(props))
  }, [props.times, props.series, props.span?.from, props.span?.to, props.marks])

  const last = props.series.map((one) => `${one.label} ${one.values.findLast((value) => typeof value === 'number') ?? 'no value'}`)
  return (
    <figure class="chart">
      <div ref={box} role="img" aria-label={`${props.label}. Newest: ${last.join(', ')}.`} />
    </figure>
  )
}

const drawn = new WeakMap<HTMLElement, uPlot>()

function data(props: ChartProps): uPlot.AlignedData {
  return [props.times, ...props.series.map((one) => one.values)] as uPlot.AlignedData
}

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

function options(newest: { current: ChartProps }, element: HTMLElement): uPlot.Options {
  const { series, unit, height, band, group } = newest.current
  const axis: uPlot.Axis = {
    stroke: () => token('--muted'),
    grid: { stroke: () => token('--line'), width: 1 },
    ticks: { stroke: () => token('--line'), width: 1 },
  }
  return {
    width: element.clientWidth,
    height: height ?? 240,
    axes: [{ ...axis, space: 84, values: timeLabels }, { ...axis, size: widthOfLabels, values: (_, values) => values.map((value) => `${value}${unit ? ` ${unit}` : ''}`) }],
    cursor: { drag: { x: true, y: false, setScale: false }, sync: group ? { key: group } : undefined },
    scales: {
      x: { range: (_, min, max) => (newest.current.span ? [newest.current.span.from, newest.current.span.to] : [min, max]) },
      y: { range: (_, min, max) => verticalRange(min, max, newest.current.include ?? []) },
    },
    bands: band && [{ series: [band[0] + 1, band[1] + 1], fill: () => `${token(series[band[0]]?.color ?? '--chart-1')}22` }],
    series: [
      { value: (_: uPlot, seconds: number | null) => (seconds === null ? '–' : localTime(seconds)) },
      ...series.map((one, index) => ({
        label: one.label,
        stroke: () => token(one.color ?? `--chart-${(index % 6) + 1}`),
        width: one.thin ? 0.75 : 1.5,
        dash: one.dashed ? [6, 4] : undefined,
        spanGaps: false,
        value: (_: uPlot, value: number | null) => (value === null ? '–' : `${formatNumber(value)}${unit ? ` ${unit}` : ''}`),
        ...(one.points
          ? { paths: () => null, points: { show: true, size: 7, fill: () => token(one.color ?? '--bad') } }
          : one.thin
            ? { points: { show: false } }
            : {}),
      })),
    ],
    hooks: {
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return
          const from = plot.posToVal(plot.select.left, 'x')
          const to = plot.posToVal(plot.select.left + plot.select.width, 'x')
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          newest.current.onZoom?.({ from, to })
        },
      ],
      draw: [(plot) => drawLines(plot, newest.current)],
    },
  }
}

/** The labels of the time axis: dates as ISO writes them, and 24 hours; a day is named once. */
function timeLabels(_: uPlot, times: number[], _axis: number, _space: number, step: number): string[] {
  let named = ''
  return times.map((seconds) => {
    const [day, clock] = localTime(Math.floor(seconds)).split(' ') as [string, string]
    if (step >= 86400) return day
    const shown = step < 1 ? `${clock}.${String(Math.round((seconds % 1) * 1000)).padStart(3, '0')}` : step < 60 ? clock : clock.slice(0, 5)
    const text = day === named ? shown : `${shown}\n${day}`
    named = day
    return text
  })
}

/** The room for the labels of the vertical axis, which have a unit. */
function widthOfLabels(_: uPlot, labels: string[] | null): number {
  return 22 + 7 * Math.max(4, ...(labels ?? []).map((label) => label.length))
}

/** The vertical axis: the values and what must be in view, with a margin. */
function verticalRange(min: number | null, max: number | null, include: number[]): uPlot.Range.MinMax {
  const values = [min, max, ...include].filter((value): value is number => typeof value === 'number')
  if (values.length === 0) return [0, 1]
  return uPlot.rangeNum(Math.min(...values), Math.max(...values), 0.1, true)
}

/** The limits as horizontal lines, and the marked times as vertical ones. */
function drawLines(plot: uPlot, { limits = [], marks = [] }: ChartProps): void {
  const { ctx, bbox } = plot
  const [right, bottom] = [bbox.left + bbox.width, bbox.top + bbox.height]
  const ratio = devicePixelRatio
  ctx.save()
  ctx.strokeStyle = ctx.fillStyle = token('--bad')
  ctx.font = `${11 * ratio}px ${token('--sans')}`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'bottom'
  ctx.setLineDash([4 * ratio, 4 * ratio])
  const line = (...[x, y, toX, toY]: [number, number, number, number]) => {
    ctx.beginPath()
    ctx.moveTo(x, y)
    ctx.lineTo(toX, toY)
    ctx.stroke()
  }
  let below = { y: Infinity, end: 0 }
  for (const limit of [...limits].sort((one, other) => one.value - other.value)) {
    const y = plot.valToPos(limit.value, 'y', true)
    if (y < bbox.top || y > bottom) continue
    line(bbox.left, y, right, y)
    // The label of a limit that is close to the one below it stands to the right of that one's.
    const x = below.y - y < 13 * ratio ? below.end + 10 * ratio : bbox.left + 6 * ratio
    ctx.fillText(limit.label, x, y - 2 * ratio)
    below = { y, end: x + ctx.measureText(limit.label).width }
  }
  for (const mark of marks) {
    const x = plot.valToPos(mark.time, 'x', true)
    if (x < bbox.left || x > right) continue
    line(x, bbox.top, x, bottom)
    // Near the right edge, the label is to the left of its line.
    const width = ctx.measureText(mark.label).width + 4 * ratio
    ctx.fillText(mark.label, x + width > right ? x - width : x + 4 * ratio, bbox.top + 12 * ratio)
  }
  ctx.restore()
}
