/** Chooses a node. */

import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';

import { startSessionTexts as texts } from '../../texts/start-session.ts';
import { problemOf } from '../../ui/problem.ts';
import { useResource } from '../../ui/resource.ts';
import { visibleLine } from '../../ui/visible.ts';
import { nameOf, readNodes, type Node } from '../nodes/node.ts';
import { statusText } from '../nodes/NodeStatus.tsx';

interface Props {
  readonly nodeId: string | undefined;
  readonly onChange: (nodeId: string | undefined) => void;
  readonly isChecked: boolean;
}

export function NodeSelect({ nodeId, onChange, isChecked }: Props) {
  const nodes = useResource<readonly Node[]>((signal, progress) => readNodes([], signal, progress), []);
  const options = (nodes.value ?? []).map(option);
  const selected = options.find(({ value }) => value === nodeId) ?? (nodeId === undefined ? null : { value: nodeId, label: visibleLine(nodeId) });
  return (
    <FormField label={texts.node} description={texts.nodeHint} errorText={isChecked && nodeId === undefined && texts.nodeMissing}>
      <Select
        options={options}
        selectedOption={selected}
        onChange={({ detail }) => onChange(detail.selectedOption.value)}
        placeholder={texts.nodePlaceholder}
        filteringType="auto"
        filteringAriaLabel={texts.nodeFilter}
        filteringPlaceholder={texts.nodeFilter}
        virtualScroll
        triggerVariant="option"
        statusType={nodes.error !== undefined ? 'error' : nodes.isLoading && !nodes.value ? 'loading' : 'finished'}
        {...(nodes.error !== undefined && { errorText: problemOf(nodes.error).message })}
        loadingText={texts.loadingNodes}
        onLoadItems={() => nodes.error !== undefined && nodes.reload()}
        empty={texts.noNodes}
      />
    </FormField>
  );
}

function option(node: Node) {
  return {
    value: node.InstanceId,
    label: visibleLine(nameOf(node)),
    description: visibleLine(node.InstanceId),
    labelTag: statusText(node.PingStatus),
    disabled: node.PingStatus !== 'Online',
  };
}
