/** Chooses the document that says what the session does. */

import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';

import { startSessionTexts as texts } from '../../texts/start-session.ts';
import { problemOf } from '../../ui/problem.ts';
import { useResource } from '../../ui/resource.ts';
import { visibleLine } from '../../ui/visible.ts';
import { readDocuments } from './document.ts';

interface Props {
  /** Nothing: the one of the account's preferences. */
  readonly name: string | undefined;
  readonly onChange: (name: string | undefined) => void;
  readonly description: string;
}

/** The value of the choice without a document. No document's name is empty. */
const DEFAULT = { value: '', label: texts.defaultDocument };

export function DocumentSelect({ name, onChange, description }: Props) {
  const documents = useResource(readDocuments, []);
  const options = [DEFAULT, ...(documents.value ?? []).map((document) => ({ value: document.name, label: visibleLine(document.name) }))];
  const selected = options.find(({ value }) => value === (name ?? '')) ?? { value: name ?? '', label: visibleLine(name ?? '') };
  return (
    <FormField label={texts.document} description={texts.documentHint} constraintText={description}>
      <Select
        options={options}
        selectedOption={selected}
        onChange={({ detail }) => onChange(detail.selectedOption.value || undefined)}
        filteringType="auto"
        filteringAriaLabel={texts.documentFilter}
        filteringPlaceholder={texts.documentFilter}
        statusType={documents.error !== undefined ? 'error' : documents.isLoading ? 'loading' : 'finished'}
        {...(documents.error !== undefined && { errorText: problemOf(documents.error).message })}
        loadingText={texts.loadingDocuments}
        onLoadItems={() => documents.error !== undefined && documents.reload()}
      />
    </FormField>
  );
}
