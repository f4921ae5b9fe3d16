/** One parameter of a document, as a field of the kind that its schema says. */

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';

import { startSessionTexts as texts } from '../../texts/start-session.ts';
import { visible, visibleLine } from '../../ui/visible.ts';
import { problemOfValue, type DocumentParameter } from './document.ts';

interface Props {
  readonly parameter: DocumentParameter;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Whether to say that a value is missing: not before somebody tried to start. */
  readonly isChecked: boolean;
}

export function ParameterField({ parameter, value, onChange, isChecked }: Props) {
  const problem = problemOfValue(parameter, value);
  return (
    <FormField
      label={visibleLine(parameter.name)}
      description={visible(parameter.description)}
      constraintText={parameter.type === 'StringList' && texts.lineAValue}
      errorText={
        problem === 'not-allowed'
          ? texts.valueNotAllowed(visibleLine(parameter.allowedPattern ?? ''))
          : problem === 'missing' && isChecked && texts.valueMissing
      }
    >
      <Control parameter={parameter} value={value} onChange={onChange} />
    </FormField>
  );
}

function Control({ parameter, value, onChange }: Omit<Props, 'isChecked'>) {
  if (parameter.allowedValues.length > 0) {
    const options = parameter.allowedValues.map((allowed) => ({ value: allowed, label: visibleLine(allowed) }));
    return (
      <Select
        options={options}
        selectedOption={options.find((option) => option.value === value) ?? null}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
      />
    );
  }
  switch (parameter.type) {
    case 'Boolean':
      return (
        <Toggle checked={value === 'true'} onChange={({ detail }) => onChange(String(detail.checked))}>
          {value === 'true' ? texts.on : texts.off}
        </Toggle>
      );
    case 'StringList':
      return <Textarea value={value} rows={3} spellcheck={false} onChange={({ detail }) => onChange(detail.value)} />;
    case 'String':
      return <Input value={value} spellcheck={false} onChange={({ detail }) => onChange(detail.value)} />;
  }
}
