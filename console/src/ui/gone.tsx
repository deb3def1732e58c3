/** The page of what does not exist: one message instead of one for each part of the page, and the way to what does. */
import type { ComponentChildren } from 'preact'
import type { ApiError } from '../api/client'
import { Link } from '../router'
import { Empty, Page, Panel } from './parts'

/** Whether what a page is about does not exist; the API does not tell that from what is not shared. */
export function isGone(from: { error: ApiError | undefined } | undefined): boolean {
  return from?.error?.status === 404
}

/** A message in the place of what does not exist. */
export function NotThere(props: { what: string; id: string; list: { to: string; text: string }; action?: ComponentChildren }) {
  const { list } = props
  return (
    <Panel>
      <Empty
        title={`There is no ${props.what} ${props.id}.`}
        action={
          <div class="row">
            {props.action}
            <Link to={list.to}>See all {list.text.toLowerCase()}</Link>
          </div>
        }
      >
        It was deleted, it never was, or it is not shared with you.
      </Empty>
    </Panel>
  )
}

/**
 * @param list the page of what there is.
 * @param action what can be done about it, such as restoring it.
 * @param children what is left of it, such as its history.
 */
export function Gone({ children, ...props }: Parameters<typeof NotThere>[0] & { children?: ComponentChildren }) {
  return (
    <Page title={props.id} crumbs={[props.list]}>
      <NotThere {...props} />
      {children}
    </Page>
  )
}
