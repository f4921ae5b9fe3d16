/** What something that is made with a policy document is called, and what it is for. */

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';

interface Named {
  readonly name: string;
  readonly description: string;
}

interface Props {
  readonly value: Named;
  readonly onChange: (value: Named) => void;
}

export function NameFields({ value, onChange }: Props) {
  return (
    <SpaceBetween size="m">
      <FormField label={accessTexts.name} constraintText={partTexts.forms.nameHint}>
        <Input value={value.name} onChange={({ detail }) => onChange({ ...value, name: detail.value })} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
      <FormField label={`${accessTexts.description} – ${partTexts.forms.optional}`}>
        <Input value={value.description} onChange={({ detail }) => onChange({ ...value, description: detail.value })} />
      </FormField>
    </SpaceBetween>
  );
}
