using System.Net.Sockets;
using System.Text.Json;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>The worker's side of one socket: responses of many requests, each written whole.</summary>
internal sealed class FrameStream(Socket socket) : IAsyncDisposable
{
    private readonly NetworkStream stream = new(socket, ownsSocket: true);
    private readonly SemaphoreSlim writing = new(1, 1);

    public ValueTask<Frame?> ReadAsync(int maxBodyBytes, CancellationToken cancellationToken) =>
        FrameCodec.ReadAsync(stream, maxBodyBytes, cancellationToken);

    /// <exception cref="IOException">The client is gone.</exception>
    public Task WriteAsync(ResponseHeader response) =>
        WriteAsync(
            new Frame(JsonSerializer.SerializeToUtf8Bytes(response, ProtocolJson.Default.ResponseHeader), default)
        );

    /// <exception cref="IOException">The client is gone.</exception>
    public async Task WriteAsync(Frame frame)
    {
        await writing.WaitAsync();
        try
        {
            await FrameCodec.WriteAsync(stream, frame);
        }
        catch (ObjectDisposedException exception)
        {
            throw new IOException("The connection is closed.", exception);
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask DisposeAsync() => await stream.DisposeAsync();
}
