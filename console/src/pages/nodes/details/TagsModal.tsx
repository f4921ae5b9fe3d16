/** Editing a node's tags. What is wrong is said at the tag, before the server is asked. */

import { useState } from 'react';

import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { notify } from '../../../app/notifications.ts';
import { nodesTexts } from '../../../texts/nodes.ts';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { nameOf, type Node } from '../node.ts';
import { keyProblem, TAGS_MAX, valueProblem, writeTags, type Tag } from '../tags.ts';

const texts = nodesTexts.tagsForm;

interface Props {
  readonly node: Node;
  readonly tags: readonly Tag[];
  readonly onClose: () => void;
}

export function TagsModal({ node, tags, onClose }: Props) {
  const [edited, setEdited] = useState<readonly Tag[]>(tags);
  const [error, setError] = useState<unknown>();
  const [isSaving, setIsSaving] = useState(false);
  const isWrong = edited.some((tag, index) => keyProblem(edited, index) ?? valueProblem(tag));

  async function save(): Promise<void> {
    setIsSaving(true);
    setError(undefined);
    try {
      await writeTags(node.InstanceId, tags, edited);
      notify({ type: 'success', header: texts.saved });
      onClose();
    } catch (thrown) {
      setError(thrown);
      setIsSaving(false);
    }
  }

  return (
    <Modal
      visible
      size="large"
      onDismiss={onClose}
      header={texts.title(visibleLine(nameOf(node)))}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {texts.cancel}
            </Button>
            <Button variant="primary" loading={isSaving} disabled={isWrong} onClick={() => void save()}>
              {texts.save}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <TagFields tags={edited} onChange={setEdited} />
        {error !== undefined && <ProblemAlert error={error} />}
      </SpaceBetween>
    </Modal>
  );
}

/** Rows of key and value. */
export function TagFields({ tags, onChange }: { readonly tags: readonly Tag[]; readonly onChange: (tags: readonly Tag[]) => void }) {
  const change = (index: number, changed: Partial<Tag>) =>
    onChange(tags.map((tag, at) => (at === index ? { ...tag, ...changed } : tag)));
  return (
    <AttributeEditor
      items={tags}
      addButtonText={texts.add}
      removeButtonText={texts.remove}
      removeButtonAriaLabel={(tag) => texts.removeNamed(visibleLine(tag.Key))}
      disableAddButton={tags.length >= TAGS_MAX}
      additionalInfo={tags.length >= TAGS_MAX && texts.limit(TAGS_MAX)}
      empty={texts.empty}
      onAddButtonClick={() => onChange([...tags, { Key: '', Value: '' }])}
      onRemoveButtonClick={({ detail }) => onChange(tags.filter((_, index) => index !== detail.itemIndex))}
      definition={[
        {
          label: texts.key,
          control: (tag, index) => <Input value={tag.Key} onChange={({ detail }) => change(index, { Key: detail.value })} />,
          errorText: (_, index) => keyProblem(tags, index),
        },
        {
          label: texts.value,
          control: (tag, index) => <Input value={tag.Value} onChange={({ detail }) => change(index, { Value: detail.value })} />,
          errorText: (tag) => valueProblem(tag),
        },
      ]}
    />
  );
}
