/** What the directory holds, to be chosen and opened. */

import { useCollection } from '@cloudscape-design/collection-hooks';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Icon from '@cloudscape-design/components/icon';
import Pagination from '@cloudscape-design/components/pagination';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';

import { filesTexts as texts } from '../texts/files.ts';
import { partTexts } from '../texts/parts.ts';
import { Time } from '../ui/Time.tsx';
import { visibleLine } from '../ui/visible.ts';
import type { Row } from './directory.ts';
import { modeText } from './mode.ts';

interface Props {
  readonly rows: readonly Row[];
  readonly selected: readonly Row[];
  readonly onSelect: (rows: readonly Row[]) => void;
  readonly onOpen: (path: string) => void;
}

const PAGE_ROWS = 100;
/** Fewer are found by looking. */
const FILTERED_FROM = 10;

export function DirectoryTable({ rows, selected, onSelect, onOpen }: Props) {
  const columns = columnsOf(onOpen);
  const { items, collectionProps, filterProps, paginationProps, filteredItemsCount } = useCollection(rows, {
    filtering: {
      filteringFunction: ({ name }, text) => name.toLowerCase().includes(text.trim().toLowerCase()),
      empty: <Empty />,
      noMatch: partTexts.list.noMatch,
    },
    pagination: { pageSize: PAGE_ROWS },
    sorting: { defaultState: { sortingColumn: columns[0] ?? {} } },
  });
  return (
    <Table<Row>
      {...collectionProps}
      variant="embedded"
      contentDensity="compact"
      wrapLines
      items={items}
      columnDefinitions={columns}
      trackBy="path"
      selectionType="multi"
      selectedItems={[...selected]}
      onSelectionChange={({ detail }) => onSelect(detail.selectedItems)}
      ariaLabels={{
        tableLabel: texts.list,
        selectionGroupLabel: texts.selection,
        allItemsSelectionLabel: () => texts.selectAll,
        itemSelectionLabel: (_, { name }) => texts.select(visibleLine(name)),
      }}
      filter={
        rows.length > FILTERED_FROM && (
          <TextFilter
            {...filterProps}
            filteringPlaceholder={texts.filter}
            filteringAriaLabel={texts.filter}
            filteringClearAriaLabel={partTexts.list.clear}
            countText={partTexts.list.matches(filteredItemsCount ?? 0)}
          />
        )
      }
      pagination={
        rows.length > PAGE_ROWS && (
          <Pagination
            {...paginationProps}
            ariaLabels={{
              nextPageLabel: partTexts.list.nextPage,
              previousPageLabel: partTexts.list.previousPage,
              pageLabel: partTexts.list.page,
              paginationLabel: partTexts.list.pages,
            }}
          />
        )
      }
    />
  );
}

function Empty() {
  return (
    <Box textAlign="center" color="inherit" margin={{ vertical: 'xs' }}>
      <Box variant="strong" color="inherit">
        {texts.empty}
      </Box>
      <Box variant="p" color="inherit">
        {texts.dropHint}
      </Box>
    </Box>
  );
}

function columnsOf(onOpen: (path: string) => void): TableProps.ColumnDefinition<Row>[] {
  return [
    {
      id: 'name',
      header: texts.name,
      isRowHeader: true,
      minWidth: 150,
      sortingComparator: byName,
      cell: (row) => <Name row={row} onOpen={onOpen} />,
    },
    {
      id: 'size',
      header: texts.size,
      minWidth: 90,
      sortingComparator: bySize,
      cell: ({ kind, attributes }) => (kind === 'file' ? texts.bytes(attributes.size ?? 0) : kind === 'directory' ? '–' : texts[kind]),
    },
    {
      id: 'modified',
      header: texts.modified,
      minWidth: 130,
      sortingComparator: byTime,
      cell: ({ attributes }) => <Time at={attributes.modifiedAt} form="relative" />,
    },
    {
      id: 'mode',
      header: texts.mode,
      minWidth: 110,
      cell: ({ attributes }) => attributes.mode !== undefined && <span className="files-mode">{modeText(attributes.mode)}</span>,
    },
  ];
}

function Name({ row: { name, path, kind, leadsTo }, onOpen }: { readonly row: Row; readonly onOpen: (path: string) => void }) {
  const shown = visibleLine(name);
  if (leadsTo === 'directory') {
    return (
      <Button variant="inline-link" iconName="folder" ariaLabel={texts.openDirectory(shown)} onClick={() => onOpen(path)}>
        {shown}
      </Button>
    );
  }
  return (
    <span className="files-name">
      <Icon name={kind === 'other' ? 'settings' : 'file'} ariaLabel={texts.kinds[kind]} /> {shown}
    </span>
  );
}

/** Directories first. */
function byName(a: Row, b: Row): number {
  return rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true });
}

function bySize(a: Row, b: Row): number {
  return sizeOf(a) - sizeOf(b);
}

function byTime(a: Row, b: Row): number {
  return (a.attributes.modifiedAt ?? 0) - (b.attributes.modifiedAt ?? 0);
}

function rank({ leadsTo }: Row): number {
  return leadsTo === 'directory' ? 0 : 1;
}

function sizeOf({ kind, attributes }: Row): number {
  return kind === 'directory' ? -1 : (attributes.size ?? 0);
}
