/** What to look for, and in which recordings. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';

import { recordingsTexts as texts } from '../../texts/recordings.ts';
import { WITHIN, type Wanted } from './query.ts';

interface Props {
  readonly wanted: Wanted;
  readonly onChange: (wanted: Wanted) => void;
}

/** Begins with `wanted`; whoever changes it from elsewhere draws another one. */
export function SearchForm({ wanted, onChange }: Props) {
  const [words, setWords] = useState(wanted.words);
  const [node, setNode] = useState(wanted.node);
  const [owner, setOwner] = useState(wanted.owner);
  const apply = (within: string) => onChange({ words, node, owner, within });
  return (
    <form
      className="recordings-search"
      onSubmit={(event) => {
        event.preventDefault();
        apply(wanted.within);
      }}
    >
      <div className="recordings-search-words">
        <FormField label={texts.words} constraintText={texts.wordsHelp}>
          <Input type="search" value={words} placeholder={texts.wordsExample} onChange={({ detail }) => setWords(detail.value)} />
        </FormField>
      </div>
      <FormField label={texts.node}>
        <Input value={node} placeholder="mi-…" onChange={({ detail }) => setNode(detail.value)} />
      </FormField>
      <FormField label={texts.owner}>
        <Input value={owner} placeholder="arn:aws:iam::…" onChange={({ detail }) => setOwner(detail.value)} />
      </FormField>
      <FormField label={texts.within}>
        <Select
          selectedOption={{ value: wanted.within, label: texts.withins[wanted.within] ?? wanted.within }}
          options={WITHIN.map((hours) => ({ value: hours, label: texts.withins[hours] ?? hours }))}
          onChange={({ detail }) => apply(detail.selectedOption.value ?? '')}
        />
      </FormField>
      <div className="recordings-search-go">
        <Button formAction="submit" variant="primary" iconName="search">
          {texts.search}
        </Button>
      </div>
    </form>
  );
}
