import { expect, test } from 'vitest';

import { downloadName } from './download-name.ts';

test.each([
  ['report.pdf', 'report.pdf'],
  ['Grüße 😀.txt', 'Grüße 😀.txt'],
  ['../../.ssh/authorized_keys', '_.._.ssh_authorized_keys'],
  ['..\\..\\evil.bat', '_.._evil.bat'],
  ['.bashrc', 'bashrc'],
  ['invoice\u202efdp.exe', 'invoicefdp.exe'],
  ['photo.jpg\u200b.exe', 'photo.jpg_.exe'],
  ['a\nb\u0000c\u001b[31m', 'a_b_c_[31m'],
  ['report.pdf   ', 'report.pdf'],
  ['report.exe. . .', 'report.exe'],
  ['C:\\x', 'C__x'],
  ['con', '_con'],
  ['LPT1.txt', '_LPT1.txt'],
  ['console.log', 'console.log'],
  ['gr\udcfcn', 'gr_n'],
  ['<img src=x onerror=alert(1)>', '_img src=x onerror=alert(1)_'],
  ['...', 'download'],
  ['', 'download'],
  [`${'x'.repeat(300)}.tar.gz`, `${'x'.repeat(117)}.gz`],
  [`${'😀'.repeat(300)}`, '😀'.repeat(120)],
])('%j', (name, fit) => {
  expect(downloadName(name)).toBe(fit);
});
