/** Looks for text in what was printed. */

import { useEffect, useRef, useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Input, { type InputProps } from '@cloudscape-design/components/input';

import { useIsDark } from '../app/theme.ts';
import { terminalTexts } from '../texts/terminal.ts';
import type { Live, View } from './live.ts';

interface Props {
  readonly live: Live;
  readonly found: View['found'];
  readonly onClosed: () => void;
}

export function SearchBar({ live, found, onClosed }: Props) {
  const [text, setText] = useState('');
  const input = useRef<InputProps.Ref>(null);
  const isDark = useIsDark();
  useEffect(() => input.current?.focus(), []);
  useEffect(() => () => live.emulator.endSearch(), [live]);
  const close = () => {
    onClosed();
    live.emulator.focus();
  };
  return (
    <search className="terminal-search" style={{ background: isDark ? '#232b37' : '#ffffff' }}>
      <Input
        ref={input}
        value={text}
        type="search"
        ariaLabel={terminalTexts.searchLabel}
        onChange={({ detail }) => {
          setText(detail.value);
          live.emulator.search(detail.value, 'next');
        }}
        onKeyDown={({ detail }) => {
          if (detail.key === 'Enter') {
            live.emulator.search(text, detail.shiftKey ? 'previous' : 'next');
          } else if (detail.key === 'Escape') {
            close();
          }
        }}
      />
      <output className="terminal-search-count">
        {text !== '' && terminalTexts.searchCount(found.index, found.count)}
      </output>
      <Button variant="icon" iconName="angle-up" ariaLabel={terminalTexts.searchPrevious} onClick={() => live.emulator.search(text, 'previous')} />
      <Button variant="icon" iconName="angle-down" ariaLabel={terminalTexts.searchNext} onClick={() => live.emulator.search(text, 'next')} />
      <Button variant="icon" iconName="close" ariaLabel={terminalTexts.searchClose} onClick={close} />
    </search>
  );
}
