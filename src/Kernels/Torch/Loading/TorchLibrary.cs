namespace EgpuFleet.Kernels.Torch.Loading;

/// <summary>
/// Makes TorchSharp's native library loadable with the C++ runtime of gcc 12 and older. The library was built with a
/// newer compiler and imports one symbol of version GLIBCXX_3.4.32, an initialiser of the standard streams which
/// libtorch, loaded before it, has already run. The need is marked weak, so that the loader goes on without the
/// version, and the import is renamed to a C function that is always there and takes no arguments.
/// </summary>
public static class TorchLibrary
{
    private const string Version = "GLIBCXX_3.4.32";
    private const string Symbol = "_ZSt21ios_base_library_initv";
    private const ushort GlobalVersion = 1;
    private const ushort VersionIndexMask = 0x7fff;
    private const byte WeakFlag = 2;

    /// <summary>Treats the library in place where this machine's runtime is too old; true if the file was changed.</summary>
    /// <exception cref="InvalidDataException">The library needs other symbols of that version: the fix does not fit.</exception>
    public static bool MakeLoadable(string path)
    {
        if (!OperatingSystem.IsLinux() || RuntimeHasVersion())
            return false;
        var image = File.ReadAllBytes(path);
        if (!Weaken(image))
            return false;
        // A new file takes the old name: the old one may be linked to the package folder. The time stays, so that
        // the next build does not copy the library again.
        var stamp = File.GetLastWriteTimeUtc(path);
        var replacement = path + ".new";
        File.WriteAllBytes(replacement, image);
        File.SetLastWriteTimeUtc(replacement, stamp);
        File.Move(replacement, path, overwrite: true);
        return true;
    }

    /// <summary>Changes the image; false if it does not need the version or was changed before.</summary>
    internal static bool Weaken(byte[] image)
    {
        var elf = new ElfFile(image);
        var index = WeakenNeed(elf);
        if (index is null)
            return false;
        var changed = false;
        for (var i = 0; i < elf.Symbols!.Bytes / 24; i++)
        {
            var version = elf.Versions!.Offset + (i * 2);
            if ((elf.UInt16(version) & VersionIndexMask) != index)
                continue;
            var nameOffset = (int)elf.UInt32(elf.Symbols.Offset + (i * 24));
            if (elf.Name(nameOffset) != Symbol)
                throw new InvalidDataException($"{elf.Name(nameOffset)} needs {Version}: only {Symbol} was expected.");
            elf.Write(elf.Names + nameOffset, "sched_yield\0"u8);
            elf.Write(version, BitConverter.GetBytes(GlobalVersion));
            changed = true;
        }
        return changed;
    }

    private static int? WeakenNeed(ElfFile elf)
    {
        var library = elf.Needs!.Offset;
        for (var i = 0; i < elf.Needs.Info; i++)
        {
            var need = library + (int)elf.UInt32(library + 8);
            for (var j = 0; j < elf.UInt16(library + 2); j++)
            {
                if (elf.Name((int)elf.UInt32(need + 8)) == Version)
                {
                    elf.Write(need + 4, [WeakFlag, 0]);
                    return elf.UInt16(need + 6);
                }
                need += (int)elf.UInt32(need + 12);
            }
            library += (int)elf.UInt32(library + 12);
        }
        return null;
    }

    // The .NET runtime itself is linked with the C++ runtime, so the file in use is among this process's mappings.
    private static bool RuntimeHasVersion()
    {
        var runtime = File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains("/libstdc++.so", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..])
            .FirstOrDefault();
        return runtime is not null && File.ReadAllBytes(runtime).AsSpan().IndexOf("GLIBCXX_3.4.32\0"u8) >= 0;
    }
}
