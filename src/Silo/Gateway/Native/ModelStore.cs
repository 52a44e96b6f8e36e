using System.Security.Cryptography;
using EgpuFleet.Silo.Hosting;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// Model files on this machine, each under its SHA-256. A file is received beside its place and moved there when it is
/// whole and accepted; what a crash left half-received is removed at start.
/// </summary>
public sealed class ModelStore(DataFolder folder)
{
    private const string Incoming = "incoming-";
    private const int HashLength = 64;

    /// <summary>The file of that hash, or null.</summary>
    public string? Find(string sha256)
    {
        var path = Path.Combine(folder.Models, sha256);
        return IsHash(sha256) && File.Exists(path) ? path : null;
    }

    public IncomingModel Receive() =>
        new(Path.Combine(folder.Models, Incoming + Guid.NewGuid().ToString("N")), folder.Models);

    public long FreeBytes() => new DriveInfo(folder.Models).AvailableFreeSpace;

    public void RemoveHalfReceived()
    {
        foreach (var path in Directory.EnumerateFiles(folder.Models, Incoming + "*"))
            File.Delete(path);
    }

    private static bool IsHash(string text) =>
        text.Length == HashLength && text.All(c => char.IsAsciiDigit(c) || c is >= 'a' and <= 'f');
}

/// <summary>A model file on its way in; gone at disposal unless it was kept.</summary>
public sealed class IncomingModel : IAsyncDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly string path;
    private readonly string folder;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    internal IncomingModel(string path, string folder)
    {
        (this.path, this.folder) = (path, folder);
        File = new FileStream(
            path,
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            BufferBytes,
            useAsync: true
        );
    }

    /// <summary>The bytes received so far; readable and seekable.</summary>
    public FileStream File { get; }

    public async Task ReceiveAsync(Stream body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        var buffer = new byte[BufferBytes];
        int count;
        while ((count = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            await File.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
        }
        // On disk before it has its name: a name must never stand for half a file.
        await File.FlushAsync(cancellationToken);
        File.Flush(flushToDisk: true);
    }

    /// <summary>Writes the file instead of receiving it.</summary>
    public async Task WriteAsync(Action<Stream> write, CancellationToken cancellationToken)
    {
        // Long, and without anything to wait for.
        await Task.Run(() => write(File), cancellationToken);
        await File.FlushAsync(cancellationToken);
        File.Flush(flushToDisk: true);
        File.Position = 0;
        var buffer = new byte[BufferBytes];
        int count;
        while ((count = await File.ReadAsync(buffer, cancellationToken)) > 0)
            hash.AppendData(buffer, 0, count);
    }

    /// <summary>Gives the file its name and returns its hash. The same content may be there already.</summary>
    public string Keep()
    {
        var sha256 = Convert.ToHexStringLower(hash.GetCurrentHash());
        System.IO.File.Move(path, Path.Combine(folder, sha256), overwrite: true);
        return sha256;
    }

    public async ValueTask DisposeAsync()
    {
        hash.Dispose();
        try
        {
            await File.DisposeAsync();
        }
        finally
        {
            // What a full disk had no room for is written once more, and fails once more.
            System.IO.File.Delete(path);
        }
    }
}
