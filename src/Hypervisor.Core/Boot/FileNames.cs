// SPDX-License-Identifier: MIT
// Loaders disagree about what a command line begins with. GRUB 2 passes the words behind the file's name and no more, but
// distributions' scripts write "placeholder" in front of them for the others' sake, and menus written for older loaders
// the name once more. GRUB Legacy, QEMU, PXELINUX and iPXE pass the name itself.

namespace Hypervisor.Core.Boot;

/// <summary>Takes the name of the file off the command lines.</summary>
internal static unsafe class FileNames
{
    internal static void TakeOff(BootInformation* information)
    {
        bool isNamed = information->LoaderName.Length != 0 && !information->LoaderName.StartsWith("GRUB 2"u8);
        information->CommandLine = Rest(information->CommandLine, isNamed && information->MultibootVersion == 1);
        for (int index = 0; index < information->ModuleCount; index++)
        {
            BootText words = information->Module(index).CommandLine;
            information->SetCommandLine(index, Rest(words, isNamed && information->MultibootVersion == 1));
        }
    }

    private static BootText Rest(BootText words, bool isNamed)
    {
        int end = 0;
        while (end < words.Length && words.Pointer[end] != ' ')
        {
            end++;
        }

        BootText first = new(words.Pointer, end);
        if (!isNamed && !first.StartsWith("/"u8) && !first.Equals("placeholder"u8))
        {
            return words;
        }

        while (end < words.Length && words.Pointer[end] == ' ')
        {
            end++;
        }

        return new BootText(words.Pointer + end, words.Length - end);
    }
}
