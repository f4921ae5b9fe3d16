/** All OIDC providers whose users can take on roles. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import Textarea from '@cloudscape-design/components/textarea';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { href, navigate } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { AccessList } from '../parts/AccessList.tsx';
import { issuerOf, providerPath } from '../paths.ts';
import { linesOf, providers } from './provider.ts';

const texts = accessTexts.providers;

export default function ProvidersPage() {
  const all = useResource(providers, []);
  const [isCreating, setIsCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setIsCreating(true)}>
      {texts.create}
    </Button>
  );
  return (
    <AccessList
      area="providers"
      resource={all}
      keyOf={({ arn }) => arn}
      textOf={({ issuer }) => issuer}
      columns={[
        {
          id: 'issuer',
          header: texts.issuer,
          isRowHeader: true,
          sortBy: ({ issuer }) => issuer,
          cell: ({ arn, issuer }) => <Link href={href(providerPath(arn))}>{visibleLine(issuer)}</Link>,
        },
        { id: 'arn', header: accessTexts.arn, cell: ({ arn }) => visibleLine(arn) },
      ]}
      create={create}
    >
      {isCreating && <CreateProvider onClose={() => setIsCreating(false)} />}
    </AccessList>
  );
}

function CreateProvider({ onClose }: { readonly onClose: () => void }) {
  const [url, setUrl] = useState('https://');
  const [clientIds, setClientIds] = useState('');
  const action = useAction();
  const create = async () => {
    let arn = '';
    const isCreated = await action.run(async () => {
      const input = { Url: url.trim(), ClientIDList: linesOf(clientIds) };
      const created = await call(iam.CreateOpenIDConnectProvider, input);
      arn = created.OpenIDConnectProviderArn ?? '';
    });
    if (isCreated) {
      notify({ type: 'success', header: texts.created(visibleLine(issuerOf(arn))) });
      navigate(providerPath(arn));
    }
  };
  return (
    <FormModal
      title={texts.create}
      submitText={texts.create}
      action={action}
      isReady={url.trim() !== '' && linesOf(clientIds).length > 0}
      onSubmit={() => void create()}
      onClose={onClose}
    >
      <FormField label={texts.url} constraintText={texts.urlHint}>
        <Input value={url} onChange={({ detail }) => setUrl(detail.value)} autoFocus inputMode="url" autoComplete={false} spellcheck={false} />
      </FormField>
      <FormField label={texts.clientIds} constraintText={texts.clientIdsHint}>
        <Textarea value={clientIds} rows={3} onChange={({ detail }) => setClientIds(detail.value)} autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
