// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;
using Xm.Cli;

// Console.Out looks the terminal's capabilities up; the plain stream starts faster and buffers a whole table.
using StreamWriter output = new(Console.OpenStandardOutput(), new UTF8Encoding(false), 4096);
using StreamWriter errors = new(Console.OpenStandardError(), new UTF8Encoding(false), 256) { AutoFlush = true };
return new Dispatcher(output, errors, Privcmd.Open, StoreClient.Connect, () => XendClient.TryConnect()).Run(args);
