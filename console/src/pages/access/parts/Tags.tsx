/** The tags of something, shown and edited. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import TagEditor, { type TagEditorProps } from '@cloudscape-design/components/tag-editor';

import type { Tag } from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { EmptyState } from '../../../ui/table/Listing.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';

const texts = accessTexts.tags;

/** What an edit changes. */
interface TagChanges {
  readonly set: readonly Tag[];
  readonly remove: readonly string[];
}

interface Props {
  readonly tags: readonly Tag[];
  /** Called with the keys that go, if any do, before the others are set. */
  readonly onRemove: (keys: readonly string[]) => Promise<unknown>;
  readonly onSet: (tags: readonly Tag[]) => Promise<unknown>;
  readonly onSaved: () => void;
}

export function Tags(props: Props) {
  const { tags } = props;
  const [isOpen, setIsOpen] = useState(false);
  const edit = <Button onClick={() => setIsOpen(true)}>{texts.edit}</Button>;
  const sorted = [...tags].sort((a, b) => a.Key.localeCompare(b.Key, 'en'));
  return (
    <Container header={<Header variant="h2" counter={`(${tags.length})`} actions={edit}>{texts.title}</Header>}>
      {tags.length === 0 ? (
        <EmptyState title={texts.empty} body={texts.emptyBody} />
      ) : (
        <KeyValuePairs
          columns={3}
          items={sorted.map(({ Key, Value }) => ({ label: visibleLine(Key), value: visibleLine(Value) || accessTexts.unknown }))}
        />
      )}
      {isOpen && <EditTags {...props} tags={sorted} onClose={() => setIsOpen(false)} />}
    </Container>
  );
}

function EditTags({ tags, onRemove, onSet, onSaved, onClose }: Props & { readonly onClose: () => void }) {
  const [edited, setEdited] = useState<readonly TagEditorProps.Tag[]>(asGiven(tags));
  const [isValid, setIsValid] = useState(true);
  const action = useAction();
  const save = async () => {
    const { set, remove } = changesOf(tags, edited);
    const change = async () => {
      if (remove.length > 0) {
        await onRemove(remove);
      }
      if (set.length > 0) {
        await onSet(set);
      }
    };
    if (await action.run(change)) {
      notify({ type: 'success', header: texts.saved });
      onClose();
      onSaved();
    }
  };
  return (
    <FormModal
      title={texts.edit}
      size="large"
      submitText={partTexts.forms.save}
      action={action}
      isReady={isValid}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <TagEditor
        tags={edited}
        onChange={({ detail }) => {
          setEdited(detail.tags);
          setIsValid(detail.valid);
        }}
      />
    </FormModal>
  );
}

function asGiven(tags: readonly Tag[]): TagEditorProps.Tag[] {
  return tags.map(({ Key, Value }) => ({ key: Key, value: Value, existing: true }));
}

function changesOf(before: readonly Tag[], edited: readonly TagEditorProps.Tag[]): TagChanges {
  const kept = edited.filter(({ markedForRemoval }) => !markedForRemoval);
  const isNew = ({ key, value }: TagEditorProps.Tag) => !before.some(({ Key, Value }) => Key === key && Value === value);
  const remove = edited.filter(({ existing, markedForRemoval }) => existing && markedForRemoval).map(({ key }) => key);
  return {
    set: kept.filter(isNew).map(({ key, value }) => ({ Key: key, Value: value })),
    remove: remove.filter((key) => !kept.some((tag) => tag.key === key)),
  };
}
