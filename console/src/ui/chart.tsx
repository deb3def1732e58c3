/** Lines over time, loaded when one is drawn first. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ChartProps } from './chart/time-chart'

export type { Series } from './chart/time-chart'

export function TimeChart(props: ChartProps) {
  const [Loaded, setLoaded] = useState<ComponentType<ChartProps> | null>(null)
  useEffect(() => {
    import('./chart/time-chart').then((module) => setLoaded(() => module.TimeChart))
  }, [])
  return Loaded ? <Loaded {...props} /> : <div class="loading">Loading the chart …</div>
}
