namespace EgpuFleet.Cli.Engines;

/// <summary>Copies the source of a Python package; what was there gives way only to a whole copy.</summary>
internal sealed class PackageCopy
{
    private readonly string _target;
    private readonly List<(string From, string To)> _files;

    public PackageCopy(string source, string target)
    {
        _target = target;
        _files =
        [
            .. Directory
                .EnumerateFiles(source, "*", SearchOption.AllDirectories)
                .Where(file => !file.Contains("/__pycache__/", StringComparison.Ordinal))
                .Select(file => (file, Path.Combine(Part, Path.GetRelativePath(source, file)))),
        ];
    }

    public int Files => _files.Count;

    private string Part => _target + ".part";

    /// <param name="progress">Told files and bytes so far, now and then.</param>
    public void Run(Action<int, long> progress, TimeProvider clock)
    {
        if (Directory.Exists(Part))
            Directory.Delete(Part, recursive: true);
        var told = clock.GetTimestamp();
        var bytes = 0L;
        for (var i = 0; i < _files.Count; i++)
        {
            var (from, to) = _files[i];
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to);
            bytes += new FileInfo(to).Length;
            if (clock.GetElapsedTime(told) < Limits.InstallProgress && i < _files.Count - 1)
                continue;
            told = clock.GetTimestamp();
            progress(i + 1, bytes);
        }
        if (Directory.Exists(_target))
            Directory.Delete(_target, recursive: true);
        Directory.Move(Part, _target);
    }
}
