using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>
/// One attempt to bring a file known by its hash into a partial file, going on from what an earlier attempt left. Returns when the file
/// is complete and its hash is right. The size is known beforehand: nothing beyond it is written.
/// </summary>
/// <param name="model">What it is called, and its hash and size.</param>
/// <param name="route">Where the gateway has it.</param>
internal sealed class ModelDownload(HttpClient client, ModelRef model, string partial, string route)
{
    private const int BufferBytes = 1 << 16;

    private readonly byte[] buffer = new byte[BufferBytes];

    /// <exception cref="Grains.Interfaces.Serving.GenerationException">Trying again would not help, or only elsewhere.</exception>
    /// <exception cref="IOException">The connection broke, or the disk failed; what arrived is kept.</exception>
    /// <exception cref="HttpRequestException">No or no usable answer.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(
            partial,
            new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                Options = FileOptions.Asynchronous,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }
        );
        if (file.Length > model.SizeBytes)
            file.SetLength(0);
        await HashExistingAsync(file, hash, cancellationToken);
        if (file.Position < model.SizeBytes)
            await ReceiveAsync(file, hash, cancellationToken);
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != model.Sha256)
        {
            file.SetLength(0);
            throw ModelFailures.Corrupt(model, "its SHA-256 is another one.");
        }
        file.Flush(flushToDisk: true);
    }

    private async Task HashExistingAsync(FileStream file, IncrementalHash hash, CancellationToken cancellationToken)
    {
        int read;
        while ((read = await file.ReadAsync(buffer, cancellationToken)) > 0)
            hash.AppendData(buffer, 0, read);
    }

    private async Task ReceiveAsync(FileStream file, IncrementalHash hash, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, route);
        if (file.Position > 0)
            request.Headers.Range = new RangeHeaderValue(file.Position, null);
        using var response = await client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        if (StartOf(response) != file.Position)
        {
            // The whole file comes although a part was asked for.
            file.SetLength(0);
            _ = hash.GetHashAndReset();
        }
        if (response.Content.Headers.ContentLength is { } length && file.Position + length != model.SizeBytes)
            throw ModelFailures.Corrupt(model, $"it has {file.Position + length} bytes, not {model.SizeBytes}.");
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await CopyAsync(body, file, hash, cancellationToken);
    }

    /// <summary>Where in the file the body starts.</summary>
    private long StartOf(HttpResponseMessage response)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                return 0;
            case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange?.From is { } from:
                return from;
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                throw ModelFailures.Refused((int)response.StatusCode);
            case HttpStatusCode.NotFound:
                throw ModelFailures.NotThere(model);
            default:
                throw new HttpRequestException(
                    $"The gateway answered {(int)response.StatusCode}.",
                    inner: null,
                    response.StatusCode
                );
        }
    }

    private async Task CopyAsync(
        Stream body,
        FileStream file,
        IncrementalHash hash,
        CancellationToken cancellationToken
    )
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        while (true)
        {
            idle.CancelAfter(Limits.DownloadIdleTimeout);
            int read;
            try
            {
                read = await body.ReadAsync(buffer, idle.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new IOException($"Nothing came for {Limits.DownloadIdleTimeout.TotalSeconds:0} s.", e);
            }
            if (read == 0)
                break;
            if (file.Position + read > model.SizeBytes)
                throw ModelFailures.Corrupt(model, $"it has more than {model.SizeBytes} bytes.");
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
        if (file.Position < model.SizeBytes)
            throw new IOException($"The body ended after {file.Position} of {model.SizeBytes} bytes.");
    }
}
