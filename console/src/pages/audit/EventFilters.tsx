/** What is looked up: one attribute, as CloudTrail has it, and a part of time. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import DateRangePicker, { type DateRangePickerProps } from '@cloudscape-design/components/date-range-picker';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';

import './audit.css';

import { auditTexts } from '../../texts/audit.ts';
import { ATTRIBUTES, type Attribute, type Filters, type Range } from './filters.ts';

const texts = auditTexts.events;
const rangeTexts = auditTexts.range;

interface Props {
  readonly filters: Filters;
  readonly onChange: (filters: Filters) => void;
}

/** Begins with `filters`; whoever changes them from elsewhere draws another one. */
export function EventFilters({ filters, onChange }: Props) {
  const [attribute, setAttribute] = useState<Attribute | undefined>(filters.attribute?.key);
  const [value, setValue] = useState(filters.attribute?.value ?? '');
  const apply = (range: Range | undefined, key = attribute, text = value) =>
    onChange({ ...(key !== undefined && text !== '' && { attribute: { key, value: text.trim() } }), ...(range && { range }) });
  const choose = (key: Attribute | undefined) => {
    setAttribute(key);
    setValue('');
    if (key === undefined) {
      apply(filters.range, undefined, '');
    }
  };
  return (
    <form
      className="event-filters"
      onSubmit={(event) => {
        event.preventDefault();
        apply(filters.range);
      }}
    >
      <FormField label={texts.attribute}>
        <Select
          selectedOption={optionOf(attribute)}
          options={[optionOf(undefined), ...ATTRIBUTES.map(optionOf)]}
          onChange={({ detail }) => choose(ATTRIBUTES.find((key) => key === detail.selectedOption.value))}
        />
      </FormField>
      {attribute === 'ReadOnly' && (
        <FormField label={texts.value}>
          <Select
            selectedOption={READ_ONLY.find((option) => option.value === value) ?? null}
            options={READ_ONLY}
            placeholder={texts.examples.ReadOnly}
            onChange={({ detail }) => {
              setValue(detail.selectedOption.value ?? '');
              apply(filters.range, attribute, detail.selectedOption.value);
            }}
          />
        </FormField>
      )}
      {attribute !== undefined && attribute !== 'ReadOnly' && (
        <FormField label={texts.value}>
          <Input
            value={value}
            onChange={({ detail }) => setValue(detail.value)}
            placeholder={texts.examples[attribute]}
            autoComplete={false}
            spellcheck={false}
          />
        </FormField>
      )}
      <FormField label={texts.range}>
        <DateRangePicker
          value={filters.range ?? null}
          placeholder={rangeTexts.any}
          relativeOptions={RELATIVE}
          isValidRange={isValid}
          dateOnly={false}
          i18nStrings={{
            relativeModeTitle: rangeTexts.relative,
            absoluteModeTitle: rangeTexts.absolute,
            relativeRangeSelectionHeading: rangeTexts.title,
            formatRelativeRange: shown,
          }}
          onChange={({ detail }) => apply(detail.value ?? undefined)}
        />
      </FormField>
      <div className="event-filters-submit">
        <Button iconName="search">{texts.search}</Button>
      </div>
    </form>
  );
}

const READ_ONLY = (['true', 'false'] as const).map((value) => ({ value, label: texts.readOnly[value] }));

const RELATIVE: DateRangePickerProps.RelativeOption[] = [
  { key: '30-minutes', type: 'relative', amount: 30, unit: 'minute' },
  { key: '1-hour', type: 'relative', amount: 1, unit: 'hour' },
  { key: '12-hours', type: 'relative', amount: 12, unit: 'hour' },
  { key: '1-day', type: 'relative', amount: 1, unit: 'day' },
  { key: '1-week', type: 'relative', amount: 1, unit: 'week' },
  { key: '1-month', type: 'relative', amount: 1, unit: 'month' },
];

function shown({ amount, unit }: DateRangePickerProps.RelativeValue): string {
  switch (unit) {
    case 'hour':
      return rangeTexts.hours(amount);
    case 'day':
      return rangeTexts.days(amount);
    case 'week':
      return rangeTexts.weeks(amount);
    case 'month':
      return rangeTexts.months(amount);
    default:
      return rangeTexts.minutes(amount);
  }
}

function isValid(range: DateRangePickerProps.Value | null): DateRangePickerProps.ValidationResult {
  if (range?.type !== 'absolute') {
    return { valid: true };
  }
  const [start, end] = [Date.parse(range.startDate), Date.parse(range.endDate)];
  if (Number.isNaN(start) || Number.isNaN(end)) {
    return { valid: false, errorMessage: rangeTexts.missing };
  }
  return start <= end ? { valid: true } : { valid: false, errorMessage: rangeTexts.invalid };
}

function optionOf(key: Attribute | undefined) {
  return key === undefined ? { value: '', label: texts.any } : { value: key, label: texts.attributes[key] };
}
