/** The managed nodes: who is there, since when, and what runs on them. */

import { useMemo, useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { href, useLocation } from '../../router/location.ts';
import { nodesTexts as texts } from '../../texts/nodes.ts';
import { useResource } from '../../ui/resource.ts';
import { queryOf } from '../../ui/table/address.ts';
import { FilteredTable, type Column } from '../../ui/table/FilteredTable.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { columns, properties } from './columns.tsx';
import { useConnections } from './connections.ts';
import { nameOf, readNodes, type Node, type NodeFilter } from './node.ts';
import { statusColumn } from './status.tsx';
import { TagList } from './TagList.tsx';
import { useTags } from './tags.ts';

/** A node that registers appears within this time, in milliseconds; where reading all takes long, later. Each call is on the trail. */
const REFRESH_MS = { few: 10_000, many: 60_000 };
const FEW = 500;
const ORDER = { column: 'name', isDescending: false };

export default function NodesPage() {
  const { query: address } = useLocation();
  const filters = tagFilters(address);
  const [isFew, setIsFew] = useState(true);
  const nodes = useResource<readonly Node[]>(
    async (signal, progress) => {
      const read = await readNodes(filters, signal, progress);
      setIsFew(read.length <= FEW);
      return read;
    },
    [filters],
    { every_ms: isFew ? REFRESH_MS.few : REFRESH_MS.many },
  );
  const [selectedId, setSelectedId] = useState<string>();
  const [shownIds, setShownIds] = useState<readonly string[]>([]);
  const tags = useTags(shownIds);
  const connections = useConnections(shownIds, isFew ? REFRESH_MS.few : REFRESH_MS.many);
  const shownColumns = useMemo((): readonly Column<Node>[] => {
    const cell = (node: Node) => <TagList tags={tags.get(node.InstanceId)} />;
    const [name, ...others] = columns;
    return [...(name ? [name] : []), statusColumn(connections), ...others, { id: 'tags', header: texts.columns.tags, minWidth: 170, cell }];
  }, [tags, connections]);
  const selected = nodes.value?.filter((node) => node.InstanceId === selectedId) ?? [];

  return (
    <FilteredTable
      label={texts.title}
      filterLabel={texts.filter}
      placeholder={texts.placeholder}
      rows={nodes}
      id={(node) => node.InstanceId}
      columns={shownColumns}
      properties={properties}
      defaultOrder={ORDER}
      loadingText={texts.loading}
      selected={selected}
      onSelect={([node]) => setSelectedId(node?.InstanceId)}
      selectionLabel={(node) => visibleLine(nameOf(node))}
      onShow={(rows) => setShownIds(rows.map((node) => node.InstanceId))}
      header={(counter) => <PageHeader counter={counter} selected={selected[0]} refresh={nodes.reload} />}
      empty={<Empty />}
    />
  );
}

function PageHeader({ counter, selected, refresh }: { counter: string; selected: Node | undefined; refresh: () => void }) {
  const target = selected && `?${new URLSearchParams({ target: selected.InstanceId })}`;
  return (
    <Header
      variant="awsui-h1-sticky"
      counter={counter}
      description={texts.description}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button iconName="refresh" ariaLabel={texts.refresh} onClick={refresh} />
          <Button href={href('/nodes/add')}>{texts.add}</Button>
          <Button variant="primary" href={href(`/start-session${target ?? ''}`)}>
            {texts.start}
          </Button>
        </SpaceBetween>
      }
    >
      {texts.title}
    </Header>
  );
}

function Empty() {
  return (
    <Box textAlign="center" color="inherit">
      <SpaceBetween size="s">
        <b>{texts.empty.title}</b>
        <Box variant="p" color="inherit">
          {texts.empty.body}
        </Box>
        <Button href={href('/nodes/add')}>{texts.add}</Button>
      </SpaceBetween>
    </Box>
  );
}

/** Only the server knows the tags of all nodes: `Env=prod` asks for that value, `Env` for the key. */
function tagFilters(address: URLSearchParams): readonly NodeFilter[] {
  const wanted = queryOf(address).tokens.filter((token) => token.propertyKey === 'tag');
  return wanted.map(({ value }) => {
    const [key = '', ...rest] = String(value).split('=');
    return rest.length > 0 ? { Key: `tag:${key}`, Values: [rest.join('=')] } : { Key: 'tag-key', Values: [key] };
  });
}
