import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import './time-chart.css'

export interface Series {
  label: string
  /** One value for each time; null leaves a gap. */
  values: (number | null)[]
  /** The name of a colour token; by default the next of the chart's colours. */
  color?: string
  dashed?: boolean
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
  /** Called with Unix seconds when the user has selected a span with the mouse, and with null on a double click. */
  onZoom?: (span: { from: number; to: number } | null) => void
}

/** uPlot: made for long time series, 50 kB, and draws 100,000 points in milliseconds. */
export function TimeChart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const newest = useRef(props)
  newest.current = props
  const shape = JSON.stringify([props.series.map((one) => [one.label, one.color, one.dashed]), props.limits, props.unit, props.height])

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
  }, [props.times, props.series])

  const last = props.series.map((one) => `${one.label} ${one.values.findLast((value) => value !== null) ?? 'no value'}`)
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
  const { series, limits, unit, height } = newest.current
  const axis: uPlot.Axis = {
    stroke: () => token('--muted'),
    grid: { stroke: () => token('--line'), width: 1 },
    ticks: { stroke: () => token('--line'), width: 1 },
  }
  return {
    width: element.clientWidth,
    height: height ?? 240,
    axes: [axis, { ...axis, size: 64, values: (_, values) => values.map((value) => `${value}${unit ? ` ${unit}` : ''}`) }],
    cursor: { drag: { x: true, y: false, setScale: false } },
    series: [
      {},
      ...series.map((one, index) => ({
        label: one.label,
        stroke: () => token(one.color ?? `--chart-${(index % 6) + 1}`),
        width: 1.5,
        dash: one.dashed ? [6, 4] : undefined,
        spanGaps: false,
        points: { show: one.values.length < 60 },
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
      draw: [
        (plot) => {
          for (const limit of limits ?? []) {
            const y = plot.valToPos(limit.value, 'y', true)
            if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) continue
            plot.ctx.save()
            plot.ctx.strokeStyle = plot.ctx.fillStyle = token('--bad')
            plot.ctx.setLineDash([4, 4])
            plot.ctx.beginPath()
            plot.ctx.moveTo(plot.bbox.left, y)
            plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y)
            plot.ctx.stroke()
            plot.ctx.fillText(limit.label, plot.bbox.left + 6, y - 4)
            plot.ctx.restore()
          }
        },
      ],
    },
  }
}
