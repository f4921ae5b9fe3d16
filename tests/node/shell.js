// A shell through npm's `ssm-session`, used as its README shows: types standard input, prints output, ends with the socket.
"use strict";

const { ssm } = require("ssm-session");
const WebSocket = require("ws");
const { readFileSync } = require("fs");
const { TextDecoder, TextEncoder } = require("util");

const OUTPUT = 1;

const { StreamUrl, TokenValue, lines, until } = JSON.parse(readFileSync(0, "utf8"));
const size = { cols: 97, rows: 34 };
const decoder = new TextDecoder();
const encoder = new TextEncoder();
const socket = new WebSocket(StreamUrl);
socket.binaryType = "arraybuffer";
let output = "";
let typed = false;

socket.onopen = () => ssm.init(socket, { token: TokenValue, termOptions: size });
socket.onerror = (error) => console.error(error.message);
socket.onclose = () => process.exit(output.includes(until) ? 0 : 1);
socket.onmessage = (event) => {
  const message = ssm.decode(event.data);
  ssm.sendACK(socket, message);
  if (message.payloadType === OUTPUT) {
    const text = decoder.decode(message.payload);
    output += text;
    process.stdout.write(text);
    if (!typed) {
      // The prompt is there.
      typed = true;
      for (const line of lines) ssm.sendText(socket, encoder.encode(line + "\r"));
    }
    if (output.includes(until)) socket.close();
  }
};
