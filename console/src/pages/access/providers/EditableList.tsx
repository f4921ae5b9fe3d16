/** Short texts that belong to something, shown and edited together, one a line. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Textarea from '@cloudscape-design/components/textarea';

import { notify } from '../../../app/notifications.ts';
import { partTexts } from '../../../texts/parts.ts';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { EmptyState } from '../../../ui/table/Listing.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { linesOf } from './provider.ts';

interface Props {
  readonly texts: {
    readonly title: string;
    readonly description: string;
    readonly empty: string;
    readonly edit: string;
    readonly hint: string;
    readonly saved: string;
  };
  readonly items: readonly string[];
  readonly onSave: (items: readonly string[]) => Promise<void>;
  /** After some or all was saved. */
  readonly onSaved: () => void;
}

export function EditableList({ texts, items, onSave, onSaved }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const edit = <Button onClick={() => setIsOpen(true)}>{texts.edit}</Button>;
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${items.length})`} description={texts.description} actions={edit}>
          {texts.title}
        </Header>
      }
    >
      {items.length === 0 ? (
        <EmptyState title={texts.empty} body="" />
      ) : (
        <ul>
          {items.map((item) => (
            <li key={item}>
              <Box variant="code">{visibleLine(item)}</Box>
            </li>
          ))}
        </ul>
      )}
      {isOpen && <Edit texts={texts} items={items} onSave={onSave} onSaved={onSaved} onClose={() => setIsOpen(false)} />}
    </Container>
  );
}

function Edit({ texts, items, onSave, onSaved, onClose }: Props & { readonly onClose: () => void }) {
  const [edited, setEdited] = useState(items.join('\n'));
  const action = useAction();
  const save = async () => {
    const isSaved = await action.run(() => onSave(linesOf(edited)));
    onSaved();
    if (isSaved) {
      notify({ type: 'success', header: texts.saved });
      onClose();
    }
  };
  return (
    <FormModal
      title={texts.edit}
      submitText={partTexts.forms.save}
      action={action}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <FormField label={texts.title} constraintText={texts.hint}>
        <Textarea value={edited} rows={5} onChange={({ detail }) => setEdited(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
