/** Chooses the nodes' role; who may not list roles types its name. */

import Autosuggest from '@cloudscape-design/components/autosuggest';
import FormField from '@cloudscape-design/components/form-field';

import { addNodeTexts as texts } from '../../../texts/add-node.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { readRoles } from './activation.ts';

interface Props {
  readonly role: string;
  readonly onChange: (role: string) => void;
  readonly problem: string | false;
}

export function RoleField({ role, onChange, problem }: Props) {
  const roles = useResource(readRoles, []);
  return (
    <FormField label={texts.role} description={texts.roleHint} errorText={problem}>
      <Autosuggest
        value={role}
        onChange={({ detail }) => onChange(detail.value)}
        options={(roles.value ?? []).map((name) => ({ value: name, label: visibleLine(name) }))}
        enteredTextLabel={visibleLine}
        ariaLabel={texts.roleFilter}
        statusType={roles.isLoading && !roles.value ? 'loading' : 'finished'}
        loadingText={texts.loadingRoles}
      />
    </FormField>
  );
}
