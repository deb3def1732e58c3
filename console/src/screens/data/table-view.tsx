/** One version of a table: what it is, which rows are shown, the rows, and the panel of the open cell. */
import type { ComponentChildren } from 'preact'
import { useCallback, useMemo } from 'preact/hooks'
import { setParameters, usePlace } from '../../router'
import { DataGrid, cellText } from '../../ui/grid'
import { Empty, Panel, ProblemNote } from '../../ui/parts'
import { formatNumber } from '../../ui/values'
import { ColumnsMenu, useShownColumns } from './columns-menu'
import { DownloadMenu } from './download-menu'
import { Filters } from './filters'
import { isNotPublished, NotPublished } from './not-published'
import { changeQuery, nextOrder, sortedBy, useDataQuery } from './query'
import { useTable, type Table } from './rows'
import type { TableSource } from './source'
import { VersionBar } from './version-bar'
import './data.css'

/** The cell whose panel is open. */
export interface OpenCell {
  table: Table
  /** The column of the cell. */
  column: string
  /** The values of the key columns as text, if the version has a key. */
  keyValues: string[] | null
  /** The number of the row in the present order; null if it is not among the loaded ones. */
  row: number | null
  onClose: () => void
}

export function TableView(props: { source: TableSource; panel: (cell: OpenCell) => ComponentChildren }) {
  const { source } = props
  const query = useDataQuery()
  const table = useTable(source, query)
  const { columns, rows, version, page } = table
  const shown = useShownColumns(columns)
  const key = version?.key ?? null
  const order = query.order ?? ''
  const value = useCallback((row: number, column: number) => rows!.value(row, shown[column]!.index), [rows, shown])
  const open = useOpenCell(table, key)
  const isEmpty = rows?.count === 0
  if (isNotPublished(table)) return <NotPublished source={source} table={table} query={query} />
  return (
    <>
      <VersionBar source={source} table={table} query={query} />
      <Filters columns={columns} where={query.where} error={table.error} />
      <ProblemNote error={table.error} retry={table.reload} />
      <div class="row spread">
        <RowCount table={table} filtered={query.where.length > 0} />
        <div class="row">
          <ColumnsMenu columns={columns} />
          <DownloadMenu source={source} query={query} version={page?.version} columns={shown.map((column) => column.name)} />
        </div>
      </div>
      {!rows && table.loading && <div class="loading" role="status">Loading …</div>}
      {isEmpty && <NoRows filtered={query.where.length > 0} />}
      {rows && !isEmpty && (
        <DataGrid
          key={`${source.path} ${page?.version} ${order} ${query.where.join(' ')}`}
          label="Rows"
          columns={shown}
          rows={rows.count}
          value={value}
          sorted={sortedBy(order)}
          onSort={(column) => changeQuery({ order: nextOrder(order, column) })}
          onOpen={(row, column) => open.at(row, shown[column]!.name)}
          onEnd={rows.more ?? undefined}
          opened={open.cell && open.cell.row !== null ? { row: open.cell.row, column: shown.findIndex(({ name }) => name === open.cell!.column) } : undefined}
          height={`min(calc(100dvh - 18.5rem), ${(rows.count + 1) * 30 + 20}px)`}
        />
      )}
      {open.cell && version !== undefined && props.panel(open.cell)}
      {open.cell && version === undefined && source.kind === 'model' && page && props.panel(open.cell)}
    </>
  )
}

/** The open cell is in the address by its key, so that a link leads to the same record of any order; else by its row. */
function useOpenCell(table: Table, key: string[] | null) {
  const { query } = usePlace()
  const { rows, columns } = table
  const column = query.get('column')
  const given = query.getAll('key')
  const number = query.get('row')
  const indexes = key?.map((name) => columns.findIndex((one) => one.name === name)) ?? null
  const keyOf = (row: number) => indexes?.map((index) => cellText(rows!.value(row, index))) ?? null
  const hint = number === null ? null : Number(number)
  const row = useMemo(() => {
    if (!rows || column === null) return null
    const isRow = (at: number) => Number.isInteger(at) && at >= 0 && at < rows.count
    const fits = (at: number) => isRow(at) && (!given.length || JSON.stringify(keyOf(at)) === JSON.stringify(given))
    return hint !== null && fits(hint) ? hint : null
  }, [rows, column, JSON.stringify(given), hint])
  const close = () => setParameters({ column: null, key: null, row: null, source: null }, { replace: true })
  const isKnown = column !== null && (given.length > 0 || row !== null)
  const cell: OpenCell | null = isKnown
    ? { table, column, keyValues: given.length ? given : null, row, onClose: close }
    : null
  return {
    cell,
    at: (row: number, column: string) => setParameters({ column, key: keyOf(row), row, source: null }),
  }
}

function RowCount({ table, filtered }: { table: Table; filtered: boolean }) {
  const { rows, version, loading } = table
  if (!rows) return <span />
  const total = version?.rows
  const what = rows.count === 1 && !rows.more ? 'row' : 'rows'
  let text = `${formatNumber(rows.count)} ${what}`
  if (filtered && total !== undefined) text = `${formatNumber(rows.count)} of ${formatNumber(total)} rows fit the filter`
  if (filtered && (rows.more || loading)) text = `The first ${formatNumber(rows.count)} rows that fit the filter`
  else if (!filtered && total !== undefined && rows.count < total) text = `The first ${formatNumber(rows.count)} of ${formatNumber(total)} rows`
  return (
    <span role="status">
      {text}
      {loading ? <span class="muted">, loading more …</span> : rows.more && <span class="muted">; more are loaded as you scroll</span>}
    </span>
  )
}

function NoRows({ filtered }: { filtered: boolean }) {
  return (
    <Panel>
      <Empty title={filtered ? 'No row fits the filter.' : 'This version has no rows.'}>
        {filtered ? 'Remove a condition to see more.' : 'Its sources had no records.'}
      </Empty>
    </Panel>
  )
}
