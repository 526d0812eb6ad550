// SPDX-License-Identifier: MIT
using System.IO;
using System.Text;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;
using Xm.Cli;

// Output is buffered, so that a whole table is one write. The writers are not disposed: what they hold was flushed, or
// cannot be.
StreamWriter output = new(StandardStream.Output, new UTF8Encoding(false), 4096);
ComplaintWriter errors = new(StandardStream.Errors);
return new Dispatcher(output, errors, Privcmd.Open, StoreClient.Connect, () => XendClient.TryConnect()).Run(args);
