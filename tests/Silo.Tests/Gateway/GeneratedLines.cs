using System.Net;
using System.Text;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Valid input lines of any total size, made while they are sent.</summary>
internal sealed class GeneratedLines(long bytes, bool lengthKnown) : HttpContent
{
    private const int LineBytes = 64 << 10;

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var line = Encoding.ASCII.GetBytes($$"""{"prompt":"{{new string('x', LineBytes - 14)}}"}""" + "\n");
        for (long sent = 0; sent < bytes; sent += line.Length)
            await stream.WriteAsync(line);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = (bytes + LineBytes - 1) / LineBytes * LineBytes;
        return lengthKnown;
    }
}
