namespace EgpuFleet.Silo.Postgres.Files;

/// <summary>
/// A file's content as a stream that can be read from any place. Each chunk is a query of its own: a slow reader holds no
/// connection. Where the file is removed meanwhile, reading on fails.
/// </summary>
internal sealed class FileContent(FileTables files, StoredFile file) : Stream
{
    private byte[] chunk = [];
    private long chunkNumber = -1;
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => file.SizeBytes;

    public override long Position
    {
        get => position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            position = value;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (position >= Length || buffer.Length == 0)
            return 0;
        var (number, offset) = Math.DivRem(position, Limits.FileChunkBytes);
        if (number != chunkNumber)
        {
            chunk =
                await files.ReadChunkAsync(file.Id, (int)number, cancellationToken)
                ?? throw new IOException($"{file.Id} was removed while it was read.");
            chunkNumber = number;
        }
        var count = Math.Min(buffer.Length, chunk.Length - (int)offset);
        chunk.AsMemory((int)offset, count).CopyTo(buffer);
        position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => position + offset,
            _ => Length + offset,
        };

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
