// SPDX-License-Identifier: MIT

using Xunit;

// The hypervisor has statics of its own (the domain table, the clock), which are not the fake machine's and so not a
// thread's: the tests of this assembly run one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
