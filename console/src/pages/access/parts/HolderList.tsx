/** All users, or all groups: listed, and made with a name and a path. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';

import { notify } from '../../../app/notifications.ts';
import { href, navigate } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { useResource } from '../../../ui/resource.ts';
import type { Column } from '../../../ui/table/Listing.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { holderPath } from '../paths.ts';
import { AccessList } from './AccessList.tsx';
import { Time } from './Time.tsx';

interface Named {
  readonly Path: string;
  readonly CreateDate: number;
}

interface CreateProps {
  readonly kind: 'user' | 'group';
  readonly create: (name: string, path: string) => Promise<unknown>;
}

interface Props<T> extends CreateProps {
  readonly list: (signal: AbortSignal) => Promise<readonly T[]>;
  readonly nameOf: (item: T) => string;
  /** Besides name, path and time. */
  readonly columns?: readonly Column<T>[];
}

const AREAS = { user: 'users', group: 'groups' } as const;

export function HolderList<T extends Named>({ kind, list, nameOf, columns, create }: Props<T>) {
  const texts = accessTexts[AREAS[kind]];
  const all = useResource(list, []);
  const [isCreating, setIsCreating] = useState(false);
  const createButton = (
    <Button variant="primary" onClick={() => setIsCreating(true)}>
      {texts.create}
    </Button>
  );
  return (
    <AccessList
      area={AREAS[kind]}
      resource={all}
      keyOf={nameOf}
      textOf={(item) => `${item.Path}${nameOf(item)}`}
      columns={[
        {
          id: 'name',
          header: accessTexts.name,
          isRowHeader: true,
          sortBy: nameOf,
          cell: (item) => <Link href={href(holderPath({ kind, name: nameOf(item) }))}>{visibleLine(nameOf(item))}</Link>,
        },
        { id: 'path', header: accessTexts.path, sortBy: ({ Path }) => Path, cell: ({ Path }) => visibleLine(Path) },
        {
          id: 'created',
          header: accessTexts.created,
          sortBy: ({ CreateDate }) => CreateDate,
          cell: ({ CreateDate }) => <Time seconds={CreateDate} absent={accessTexts.unknown} />,
        },
        ...(columns ?? []),
      ]}
      create={createButton}
    >
      {isCreating && <Create kind={kind} create={create} onClose={() => setIsCreating(false)} />}
    </AccessList>
  );
}

function Create({ kind, create, onClose }: CreateProps & { readonly onClose: () => void }) {
  const texts = accessTexts[AREAS[kind]];
  const [name, setName] = useState('');
  const [path, setPath] = useState('/');
  const action = useAction();
  const submit = async () => {
    if (await action.run(async () => void (await create(name, path)))) {
      notify({ type: 'success', header: texts.created(visibleLine(name)) });
      navigate(holderPath({ kind, name }));
    }
  };
  return (
    <FormModal
      title={texts.create}
      submitText={texts.create}
      action={action}
      isReady={name !== '' && path !== ''}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <FormField label={accessTexts.name} constraintText={partTexts.forms.nameHint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
      <FormField label={accessTexts.path} constraintText={partTexts.forms.pathHint}>
        <Input value={path} onChange={({ detail }) => setPath(detail.value)} autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
