/** Some of many things, chosen by their slugs: a list of checkboxes, with a search if it is long. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Loaded } from '../api/load'
import { Show, TextField } from './parts'

const MOST_WITHOUT_SEARCH = 12

/**
 * @param chosen the slugs, in the order in which they were chosen.
 * @param text what stands beside a checkbox.
 * @param children below the list.
 */
export function ChooseSeveral<T extends { slug?: string; name: string }>(props: {
  legend: string
  from: Loaded<T[]>
  chosen: string[]
  onChange: (chosen: string[]) => void
  text: (item: T) => ComponentChildren
  empty?: ComponentChildren
  children?: ComponentChildren
}) {
  const { chosen, onChange } = props
  const [search, setSearch] = useState('')
  const toggle = (slug: string) => onChange(chosen.includes(slug) ? chosen.filter((one) => one !== slug) : [...chosen, slug])
  const isShown = ({ slug, name }: T) => chosen.includes(slug!) || slug!.includes(search) || name.includes(search)
  return (
    <Show from={props.from}>
      {(items) => (
        <fieldset>
          <legend>{props.legend}</legend>
          {items.length === 0 && props.empty}
          {items.length > MOST_WITHOUT_SEARCH && <TextField label="Search" type="search" value={search} onInput={setSearch} />}
          <ul class="plain choices">
            {items.filter(isShown).map((item) => (
              <li key={item.slug}>
                <label class="row">
                  <input type="checkbox" checked={chosen.includes(item.slug!)} onChange={() => toggle(item.slug!)} />
                  {props.text(item)}
                </label>
              </li>
            ))}
          </ul>
          {props.children}
        </fieldset>
      )}
    </Show>
  )
}
