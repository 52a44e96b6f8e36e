using System.Text;
using System.Text.Json;

namespace EgpuFleet.Silo.Gateway;

/// <summary>Writes server-sent events; every frame is flushed.</summary>
public sealed class ServerSentEvents(HttpResponse response, JsonSerializerOptions json)
{
    public bool Started => response.HasStarted;

    /// <summary>Sends the headers, so that the caller knows that the stream is open.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        return response.StartAsync(cancellationToken);
    }

    public Task PingAsync(CancellationToken cancellationToken) => WriteAsync(": ping\n\n", cancellationToken);

    public Task RetryAsync(int milliseconds, CancellationToken cancellationToken) =>
        WriteAsync($"retry: {milliseconds}\n\n", cancellationToken);

    /// <summary>A frame without a name, as OpenAI sends them.</summary>
    public Task DataAsync<T>(T value, CancellationToken cancellationToken) =>
        WriteAsync($"data: {JsonSerializer.Serialize(value, json)}\n\n", cancellationToken);

    public Task DoneAsync(CancellationToken cancellationToken) => WriteAsync("data: [DONE]\n\n", cancellationToken);

    /// <summary>A named event; with an id, a client that comes back names the last one it saw.</summary>
    public Task EventAsync<T>(string name, long? id, T value, CancellationToken cancellationToken)
    {
        var head = id is { } sequence ? $"id: {sequence}\nevent: {name}\n" : $"event: {name}\n";
        return WriteAsync($"{head}data: {JsonSerializer.Serialize(value, json)}\n\n", cancellationToken);
    }

    private async Task WriteAsync(string frame, CancellationToken cancellationToken)
    {
        await response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(frame), cancellationToken);
    }
}
