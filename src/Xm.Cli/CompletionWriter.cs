// SPDX-License-Identifier: MIT
using System.IO;
using System.Linq;

namespace Xm.Cli;

/// <summary>The completion script for bash, from the command table alone.</summary>
internal static class CompletionWriter
{
    /// <summary>Writes the whole script.</summary>
    public static void Write(TextWriter output)
    {
        Command[] commands = [.. CommandTable.All.Where(command => command.Needs is null)];
        output.Write($$"""
            # SPDX-License-Identifier: MIT
            # Made from the command table: xm help --completion
            _xm() {
                local word=${COMP_WORDS[COMP_CWORD]}
                local commands='{{string.Join(' ', commands.Select(command => command.Name))}}'
                if [ "$COMP_CWORD" -eq 1 ]; then
                    COMPREPLY=($(compgen -W "$commands" -- "$word"))
                    return
                fi
                local options='' arguments=''
                case ${COMP_WORDS[1]} in

            """);
        foreach (Command command in commands)
        {
            string options = string.Join(' ', command.AllOptions.Select(option => "--" + option.Long));
            string arguments = command.Arguments.Split(' ')[0] switch
            {
                "DOMAIN" or "[DOMAIN…]" or "DOMAIN…" => "domains",
                "FILE" => "files",
                "[COMMAND]" => "commands",
                _ => "",
            };
            output.Write($"    {command.Name}) options='{options}' arguments={(arguments.Length > 0 ? arguments : "''")} ;;\n");
        }

        output.Write("""
                esac
                case $word in
                -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
                *)
                    case $arguments in
                    domains)
                        COMPREPLY=($(compgen -W "$(xm list 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$word"))
                        ;;
                    files) COMPREPLY=($(compgen -f -- "$word") $(cd /etc/xen 2>/dev/null && compgen -f -- "$word")) ;;
                    commands) COMPREPLY=($(compgen -W "$commands" -- "$word")) ;;
                    esac
                    ;;
                esac
            }
            complete -o filenames -F _xm xm

            """);
    }
}
