/** A full-page table with a filter, an order and pages. Filter and order are in the address. */

import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Pagination from '@cloudscape-design/components/pagination';
import PropertyFilter, { type PropertyFilterProps } from '@cloudscape-design/components/property-filter';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';

import { replaceQuery, useLocation } from '../../router/location.ts';
import { tableTexts } from '../../texts/table.ts';
import { ProblemAlert } from '../ProblemAlert.tsx';
import type { Resource } from '../resource.ts';
import { visibleLine } from '../visible.ts';
import { orderOf, queryOf, withOrder, withQuery, type Order } from './address.ts';
import { filterRows, NO_QUERY, OPERATORS, sortRows, type Property } from './filter.ts';

const PAGE_ROWS = 25;
/** Suggested values of a property; more would be no help, and slow. */
const SUGGESTIONS_MAX = 200;

/** A column. One with `text` can be sorted by. */
export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  readonly text?: (row: Row) => string;
  readonly width?: number;
  readonly minWidth?: number;
  readonly isRowHeader?: boolean;
}

interface Props<Row> {
  readonly label: string;
  readonly filterLabel: string;
  /** What the filter says before anything is typed. */
  readonly placeholder: string;
  readonly rows: Resource<readonly Row[]>;
  readonly id: (row: Row) => string;
  readonly columns: readonly Column<Row>[];
  readonly properties: readonly Property<Row>[];
  readonly defaultOrder: Order;
  /** Given how many rows pass and are there, as the header says it. */
  readonly header: (counter: string) => ReactNode;
  /** Nothing there at all. */
  readonly empty: ReactNode;
  readonly loadingText: string;
  readonly selected?: readonly Row[];
  readonly onSelect?: (rows: readonly Row[]) => void;
  readonly selectionLabel?: (row: Row) => string;
  /** Told which rows are seen, for what is loaded a row. */
  readonly onShow?: (rows: readonly Row[]) => void;
}

export function FilteredTable<Row>(props: Props<Row>) {
  const { rows, columns, properties, defaultOrder } = props;
  const { query: address } = useLocation();
  const addressText = address.toString();
  const query = useMemo(() => queryOf(new URLSearchParams(addressText)), [addressText]);
  const order = orderOf(address) ?? defaultOrder;
  const orderText = columns.find(({ id }) => id === order.column)?.text;
  const [page, setPage] = useState(1);

  const found = useMemo(() => {
    const passing = filterRows(rows.value ?? [], properties, query);
    return orderText ? sortRows(passing, orderText, order.isDescending) : passing;
  }, [rows.value, properties, query, orderText, order.isDescending]);
  const pagesCount = Math.max(1, Math.ceil(found.length / PAGE_ROWS));
  const pageIndex = Math.min(page, pagesCount);
  const items = useMemo(() => found.slice((pageIndex - 1) * PAGE_ROWS, pageIndex * PAGE_ROWS), [found, pageIndex]);

  const onShow = useRef(props.onShow);
  useEffect(() => {
    onShow.current = props.onShow;
  });
  useEffect(() => onShow.current?.(items), [items]);

  function changeQuery(changed: PropertyFilterProps.Query): void {
    setPage(1);
    replaceQuery(withQuery(address, changed));
  }

  return (
    <Table
      variant="full-page"
      stickyHeader
      wrapLines
      resizableColumns
      items={items}
      trackBy={props.id}
      columnDefinitions={columns.map(definition)}
      sortingColumn={{ sortingField: order.column }}
      sortingDescending={order.isDescending}
      onSortingChange={({ detail }) =>
        replaceQuery(
          withOrder(address, {
            column: detail.sortingColumn.sortingField ?? defaultOrder.column,
            isDescending: detail.isDescending ?? false,
          }),
        )
      }
      loading={rows.isLoading && rows.value === undefined}
      loadingText={props.loadingText}
      ariaLabels={labels(props)}
      header={
        <SpaceBetween size="s">
          {rows.error !== undefined && <ProblemAlert error={rows.error} retry={rows.reload} />}
          {props.header(counter(found.length, rows))}
        </SpaceBetween>
      }
      filter={
        <Filter query={query} properties={properties} rows={rows.value} count={found.length} props={props} onChange={changeQuery} />
      }
      pagination={
        <Pagination
          currentPageIndex={pageIndex}
          pagesCount={pagesCount}
          onChange={({ detail }) => setPage(detail.currentPageIndex)}
        />
      }
      empty={query.tokens.length > 0 ? <NoMatch onClear={() => changeQuery(NO_QUERY)} /> : rows.error === undefined && props.empty}
      {...selection(props)}
    />
  );
}

function Filter<Row>({
  query,
  properties,
  rows,
  count,
  props,
  onChange,
}: {
  readonly query: PropertyFilterProps.Query;
  readonly properties: readonly Property<Row>[];
  readonly rows: readonly Row[] | undefined;
  readonly count: number;
  readonly props: Props<Row>;
  readonly onChange: (query: PropertyFilterProps.Query) => void;
}) {
  const options = useMemo(() => suggestions(rows ?? [], properties), [rows, properties]);
  return (
    <PropertyFilter
      query={query}
      onChange={({ detail }) => onChange(detail)}
      hideOperations
      expandToViewport
      filteringAriaLabel={props.filterLabel}
      filteringPlaceholder={props.placeholder}
      filteringOptions={options}
      countText={tableTexts.matches(count)}
      filteringProperties={properties.map(({ key, label, groupLabel, isOfServer }) => ({
        key,
        propertyLabel: label,
        groupValuesLabel: groupLabel,
        operators: isOfServer ? ['='] : [...OPERATORS],
      }))}
    />
  );
}

function NoMatch({ onClear }: { readonly onClear: () => void }) {
  return (
    <Box textAlign="center" color="inherit">
      <SpaceBetween size="s">
        <b>{tableTexts.noMatch}</b>
        <Button onClick={onClear}>{tableTexts.clear}</Button>
      </SpaceBetween>
    </Box>
  );
}

function definition<Row>(column: Column<Row>): TableProps.ColumnDefinition<Row> {
  const { id, header, cell, text, width, minWidth = 110, isRowHeader = false } = column;
  return {
    id,
    header,
    cell,
    minWidth,
    isRowHeader,
    ...(width !== undefined && { width }),
    ...(text && { sortingField: id }),
  };
}

function selection<Row>({ selected, onSelect }: Props<Row>) {
  return selected && onSelect
    ? {
        selectionType: 'single' as const,
        selectedItems: [...selected],
        onSelectionChange: ({ detail }: { detail: { selectedItems: Row[] } }) => onSelect(detail.selectedItems),
      }
    : {};
}

function labels<Row>({ label, selectionLabel, id }: Props<Row>): TableProps.AriaLabels<Row> {
  return {
    tableLabel: label,
    selectionGroupLabel: tableTexts.selection,
    itemSelectionLabel: (_, row) => tableTexts.select(selectionLabel?.(row) ?? visibleLine(id(row))),
    resizerRoleDescription: tableTexts.resizer,
  };
}

/** `(3/10)` while filtered, `(10+)` while more is on its way. */
function counter<Row>(found: number, rows: Resource<readonly Row[]>): string {
  if (rows.value === undefined) {
    return '';
  }
  const total = `${rows.value.length}${rows.isPartial ? '+' : ''}`;
  return found === rows.value.length ? `(${total})` : `(${found}/${total})`;
}

function suggestions<Row>(rows: readonly Row[], properties: readonly Property<Row>[]) {
  return properties.flatMap(({ key, text }) => {
    const values = new Set<string>();
    for (const row of rows) {
      if (values.size >= SUGGESTIONS_MAX) {
        break;
      }
      values.add(text(row));
    }
    values.delete('');
    return [...values].map((value) => ({ propertyKey: key, value, label: visibleLine(value) }));
  });
}
