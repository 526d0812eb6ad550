// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;

namespace Xm.Cli;

/// <summary>
/// Finds the command that the words mean, runs it, and turns failures into a sentence and an exit status.
/// </summary>
internal sealed class Dispatcher
{
    private const int ShortestPrefix = 2;

    private readonly TextWriter _output;
    private readonly TextWriter _errors;
    private readonly Func<IHypercallChannel> _openChannel;
    private readonly Func<StoreClient> _openStore;
    private readonly Func<XendClient?> _openDaemon;

    public Dispatcher(
        TextWriter output,
        TextWriter errors,
        Func<IHypercallChannel> openChannel,
        Func<StoreClient> openStore,
        Func<XendClient?> openDaemon)
    {
        _openDaemon = openDaemon;
        _output = output;
        _errors = errors;
        _openChannel = openChannel;
        _openStore = openStore;
    }

    /// <summary>Runs the command line and returns the exit status.</summary>
    public int Run(IReadOnlyList<string> words)
    {
        try
        {
            int status = DispatchOrExplain(words);
            _output.Flush();
            return status;
        }
        catch (BrokenPipeException)
        {
            // The reader has seen enough, as head has: nobody is left to be told.
            return ExitStatus.Failure;
        }
        catch (IOException broken)
        {
            _errors.WriteLine($"Error: {broken.Message}");
            return ExitStatus.Failure;
        }
    }

    private int DispatchOrExplain(IReadOnlyList<string> words)
    {
        try
        {
            return Dispatch(words);
        }
        catch (UsageException wrong)
        {
            _output.Flush();
            _errors.WriteLine($"Error: {wrong.Message}");
            _errors.WriteLine("See 'xm help' for the commands and 'xm COMMAND --help' for one of them.");
            return ExitStatus.Usage;
        }
        catch (ToolstackException failure)
        {
            _output.Flush();
            _errors.WriteLine($"Error: {failure.Describe()}");
            return ExitStatus.Failure;
        }
    }

    private int Dispatch(IReadOnlyList<string> words)
    {
        if (words.Count == 0)
        {
            HelpWriter.WriteOverview(_errors);
            return ExitStatus.Usage;
        }

        if (words[0] is "-h" or "--help")
        {
            HelpWriter.WriteOverview(_output);
            return ExitStatus.Success;
        }

        Command command = Find(words[0]);
        ParsedArguments arguments = ParsedArguments.Parse(command, [.. words.Skip(1)]);
        if (arguments.Has("help"))
        {
            HelpWriter.Write(_output, command);
            return ExitStatus.Success;
        }

        if (command.Run is null)
        {
            throw new ToolstackException($"xm {command.Name} does not work yet: it needs {command.Needs}");
        }

        using CommandContext context = new(command, arguments, _output, _errors, _openChannel, _openStore,
            _openDaemon);
        return command.Run(context);
    }

    private Command Find(string word)
    {
        Command? exact = CommandTable.All.FirstOrDefault(command => command.Name == word);
        if (exact is not null)
        {
            return exact;
        }

        Command? former = CommandTable.All.FirstOrDefault(command => command.FormerNames.Contains(word));
        if (former is not null)
        {
            _errors.WriteLine($"Warning: '{word}' is an old name; the command is now 'xm {former.Name}'.");
            return former;
        }

        Command[] candidates = word.Length < ShortestPrefix
            ? []
            : [.. CommandTable.All.Where(command => command.Name.StartsWith(word, StringComparison.Ordinal))];
        return candidates.Length switch
        {
            1 => candidates[0],
            0 => throw new UsageException($"there is no command '{word}'"),
            _ => throw new UsageException(
                $"'{word}' can mean {string.Join(", ", candidates.Select(command => command.Name))}"),
        };
    }
}
