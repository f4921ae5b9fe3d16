/** An inline policy: made, read and edited on one page. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { Loading } from '../../../app/Loading.tsx';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { inlinePolicy, putInlinePolicy, type Holder, type HolderKind } from '../holder.ts';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { holderPath } from '../paths.ts';
import { EXAMPLES, formatted } from '../policy/examples.ts';
import { PolicyForm } from '../policy/PolicyForm.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';

const texts = accessTexts.permissions;

/** The page of an inline policy of one kind of holder. */
export function inlinePolicyPage(kind: HolderKind) {
  return function InlinePolicyPage({ parameters }: PageProps) {
    const holder = { kind, name: parameters['name'] ?? '' };
    const policy = parameters['policy'];
    return policy === undefined ? <NewPolicy holder={holder} /> : <EditPolicy holder={holder} policy={policy} />;
  };
}

function NewPolicy({ holder }: { readonly holder: Holder }) {
  const [name, setName] = useState('');
  return (
    <PolicyForm
      title={`${texts.addInline}: ${visibleLine(holder.name)}`}
      description={texts.inlineDescription}
      kind="identity"
      examples={EXAMPLES}
      charactersMax={CHARACTERS_MAX.inline[holder.kind]}
      initial=""
      submitText={partTexts.forms.save}
      cancelPath={holderPath(holder)}
      isReady={name !== ''}
      fields={
        <FormField label={texts.inlineName} constraintText={partTexts.forms.nameHint}>
          <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
        </FormField>
      }
      onSave={(document) => save(holder, name, document)}
    />
  );
}

function EditPolicy({ holder, policy }: { readonly holder: Holder; readonly policy: string }) {
  const document = useResource((signal) => inlinePolicy(holder, policy, signal), [holder.kind, holder.name, policy]);
  if (document.value === undefined) {
    return document.error === undefined ? <Loading /> : <Failure error={document.error} retry={document.reload} />;
  }
  return (
    <PolicyForm
      title={`${texts.editInline}: ${visibleLine(policy)}`}
      description={texts.inlineDescription}
      kind="identity"
      examples={EXAMPLES}
      charactersMax={CHARACTERS_MAX.inline[holder.kind]}
      initial={formatted(document.value) ?? document.value}
      submitText={partTexts.forms.save}
      cancelPath={holderPath(holder)}
      onSave={(changed) => save(holder, policy, changed)}
    />
  );
}

async function save(holder: Holder, policy: string, document: string): Promise<void> {
  await putInlinePolicy(holder, policy, document);
  notify({ type: 'success', header: accessTexts.policies.saved(visibleLine(policy)) });
  navigate(holderPath(holder));
}
