// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Image.Tests.LongestFirst", "Image.Tests")]

namespace Image.Tests;

/// <summary>
/// The two collections that share a machine among many tests begin first: they take longest, and at the end one of them alone
/// would leave a core idle.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] s_longest = [SessionCollection.Name, XendCollection.Name];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection =>
            Array.IndexOf(s_longest, collection.DisplayName) is >= 0 and int place ? place : s_longest.Length);
}
