// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Threading;

namespace Xt.Host;

/// <summary>
/// Keeps two drivers from making the same thing at once. The lock is the kernel's, on an open file: it vanishes with its
/// holder, however that one ended.
/// </summary>
public sealed class FileLock : IDisposable
{
    private static readonly TimeSpan s_quietWait = TimeSpan.FromSeconds(3);

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    public static FileLock Take(string name)
    {
        string path = Path.Combine(Workspace.Cache, $".{name}.lock");
        DateTime begin = DateTime.UtcNow;
        bool isSaid = false;
        while (true)
        {
            try
            {
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException)
            {
                if (!isSaid && DateTime.UtcNow - begin > s_quietWait)
                {
                    Report.Step($"waiting: another driver holds the {name} lock");
                    isSaid = true;
                }

                Thread.Sleep(200);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
