/** A table of all things of one kind: loading, empty, failed, there; filtered and sorted by the reader. */

import { type ReactNode } from 'react';

import { useCollection } from '@cloudscape-design/collection-hooks';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';

import { replaceQuery, useLocation } from '../../router/location.ts';
import { partTexts } from '../../texts/parts.ts';
import type { Resource } from '../resource.ts';
import { Failure } from '../denial/Failure.tsx';

const PAGE_ROWS = 50;
const texts = partTexts.list;

export interface Column<T> {
  readonly id: string;
  readonly header: string;
  readonly cell: (item: T) => ReactNode;
  /** What it is sorted by; without it, it is not. */
  readonly sortBy?: (item: T) => string | number;
  /** Of the first column: it begins with the highest. */
  readonly isDescending?: boolean;
  /** Whether it names the row. */
  readonly isRowHeader?: boolean;
  readonly width?: number;
}

export interface Empty {
  readonly title: string;
  readonly body: string;
  readonly action?: ReactNode;
}

interface Props<T> {
  readonly title: string;
  /** In the middle of a sentence, such as `users`. */
  readonly things: string;
  readonly description?: string;
  /** `page` is the page's main part in a frame; its title is the page's. */
  readonly variant: 'full-page' | 'page' | 'container' | 'embedded';
  readonly resource: Resource<readonly T[]>;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (item: T) => string;
  /** What the filter looks through. */
  readonly textOf: (item: T) => string;
  readonly empty: Empty;
  readonly actions?: ReactNode;
  /** Rows can be chosen, several at once. */
  readonly selection?: { readonly selected: readonly T[]; readonly onChange: (items: readonly T[]) => void };
  /** Keeps the filter in the address under this name; of a part of a page it is its own. */
  readonly filterName?: string;
}

export function Listing<T>(props: Props<T>) {
  const { title, things, description, variant, resource, columns, keyOf, textOf, empty, actions, selection, filterName } = props;
  const { query } = useLocation();
  const loaded = resource.value ?? NOTHING;
  const { items, collectionProps, filterProps, filteredItemsCount, paginationProps } = useCollection(
    loaded as readonly T[],
    {
      filtering: {
        defaultFilteringText: (filterName && query.get(filterName)) ?? '',
        filteringFunction: (item, text) => textOf(item).toLowerCase().includes(text.trim().toLowerCase()),
        empty: <EmptyState {...empty} />,
        noMatch: <EmptyState title={texts.noMatch} body="" />,
      },
      pagination: { pageSize: PAGE_ROWS },
      sorting: sortable(columns[0]),
    },
  );
  const remember = (text: string) => {
    if (filterName) {
      const changed = new URLSearchParams(query);
      changed.set(filterName, text);
      if (text === '') {
        changed.delete(filterName);
      }
      replaceQuery(changed);
    }
  };
  const hasPages = loaded.length > PAGE_ROWS;
  const isFailed = resource.error !== undefined;
  return (
    <SpaceBetween size="m">
      {isFailed && <Failure error={resource.error} retry={resource.reload} />}
      {!(isFailed && resource.value === undefined) && (
        <Table<T>
          {...collectionProps}
          variant={variant === 'page' ? 'container' : variant}
          items={items}
          columnDefinitions={columns.map(definition)}
          trackBy={keyOf}
          loading={resource.isLoading && resource.value === undefined}
          loadingText={title}
          wrapLines
          {...(selection && {
            selectionType: 'multi',
            selectedItems: selection.selected,
            onSelectionChange: ({ detail }: { detail: { selectedItems: T[] } }) => selection.onChange(detail.selectedItems),
            ariaLabels: {
              selectionGroupLabel: texts.selection,
              allItemsSelectionLabel: () => texts.select(things),
              itemSelectionLabel: (_: unknown, item: T) => texts.select(keyOf(item)),
            },
          })}
          header={
            <Header
              variant={HEADERS[variant]}
              counter={resource.value && texts.count(filteredItemsCount ?? loaded.length, loaded.length)}
              description={description}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button formAction="none" iconName="refresh" ariaLabel={texts.refresh} onClick={resource.reload} loading={resource.isLoading} />
                  {actions}
                </SpaceBetween>
              }
            >
              {title}
            </Header>
          }
          filter={
            loaded.length > 5 || filterProps.filteringText !== '' ? (
              <TextFilter
                {...filterProps}
                filteringPlaceholder={texts.filter(things)}
                filteringAriaLabel={texts.filter(things)}
                filteringClearAriaLabel={texts.clear}
                countText={texts.matches(filteredItemsCount ?? 0)}
                onChange={(event) => {
                  filterProps.onChange(event);
                  remember(event.detail.filteringText);
                }}
              />
            ) : undefined
          }
          pagination={
            hasPages && (
              <Pagination
                {...paginationProps}
                ariaLabels={{
                  nextPageLabel: texts.nextPage,
                  previousPageLabel: texts.previousPage,
                  pageLabel: texts.page,
                  paginationLabel: texts.pages,
                }}
              />
            )
          }
        />
      )}
    </SpaceBetween>
  );
}

const NOTHING: readonly never[] = [];
const HEADERS = { 'full-page': 'awsui-h1-sticky', page: 'h1', container: 'h2', embedded: 'h2' } as const;

export function EmptyState({ title, body, action }: Empty) {
  return (
    <Box textAlign="center" color="inherit" margin={{ vertical: 'xs' }}>
      <Box variant="strong" color="inherit">
        {title}
      </Box>
      {body && (
        <Box variant="p" color="inherit">
          {body}
        </Box>
      )}
      {action}
    </Box>
  );
}

function sortable<T>(column: Column<T> | undefined) {
  return column?.sortBy ? { defaultState: { sortingColumn: definition(column), isDescending: column.isDescending ?? false } } : {};
}

function definition<T>({ id, header, cell, sortBy, isRowHeader, width }: Column<T>): TableProps.ColumnDefinition<T> {
  return {
    id,
    header,
    cell,
    ...(sortBy && { sortingComparator: (a: T, b: T) => compare(sortBy(a), sortBy(b)) }),
    ...(isRowHeader && { isRowHeader }),
    minWidth: width ?? (isRowHeader ? 180 : 130),
  };
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
}
