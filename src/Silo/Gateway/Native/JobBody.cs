using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// A submitted job as it arrives: what it is, and its input still to be read. Either one JSON value, or a form whose part
/// <c>job</c> comes first and whose part <c>input</c> is JSONL, read line by line.
/// </summary>
internal sealed class JobBody : IDisposable
{
    private readonly List<BoundedStream> parts = [];
    private byte[]? digest;
    private Stream? lines;

    private JobBody(JobRequest job) => Job = job;

    public JobRequest Job { get; }

    /// <summary>Whether the items come as a part of their own.</summary>
    public bool HasLines => lines is not null;

    /// <summary>The items of the input, checked one by one while they are read; readable once.</summary>
    public IAsyncEnumerable<BatchItem> Lines(ModelRecord? model, CancellationToken cancellationToken) =>
        new BatchItems(model).FromLinesAsync(lines!, cancellationToken);

    /// <summary>
    /// Hash of the content read so far, part by part: the boundary of a form is made anew at every send and must not
    /// make a repetition look like another request.
    /// </summary>
    public string Sha256() =>
        Convert.ToHexStringLower(digest ?? SHA256.HashData([.. parts.SelectMany(part => part.Sha256())]));

    public void Dispose() => parts.ForEach(part => part.Dispose());

    /// <param name="isKeyed">Whether <see cref="Sha256"/> will be asked for.</param>
    /// <exception cref="GatewayException">Neither of the two kinds, too large, or malformed.</exception>
    public static async ValueTask<JobBody> OpenAsync(
        HttpRequest request,
        bool isKeyed,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.ContentLength > Limits.JobBodyBytes)
            throw GatewayException.TooLarge($"The input is larger than {Limits.JobBodyBytes >> 20} MiB.");
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
            throw Unsupported();
        if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            return await ReadJsonAsync(request.BodyReader, isKeyed, cancellationToken);
        if (type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
            return await OpenFormAsync(request.Body, HeaderUtilities.RemoveQuotes(type.Boundary), cancellationToken);
        throw Unsupported();
    }

    private static async ValueTask<JobBody> ReadJsonAsync(
        PipeReader body,
        bool isKeyed,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var read = await ReadAsync(body, cancellationToken);
            // Whatever is wrong with it, the server must be able to read on to the next request.
            var consumed = read.Buffer.Start;
            try
            {
                if (read.Buffer.Length > Limits.JobJsonBytes)
                    throw GatewayException.TooLarge($"The input is larger than {Limits.JobJsonBytes >> 10:N0} KiB.");
                if (!read.IsCompleted)
                    continue;
                consumed = read.Buffer.End;
                return new JobBody(Parse(read.Buffer)) { digest = isKeyed ? Hash(read.Buffer) : null };
            }
            finally
            {
                body.AdvanceTo(consumed, read.Buffer.End);
            }
        }
    }

    private static async ValueTask<ReadResult> ReadAsync(PipeReader body, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(cancellationToken);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            throw GatewayException.BadRequest("malformed_body", "The body ends in the middle.");
        }
    }

    /// <summary>As it would be of one part.</summary>
    private static byte[] Hash(in ReadOnlySequence<byte> json)
    {
        if (json.IsSingleSegment)
            return SHA256.HashData(SHA256.HashData(json.FirstSpan));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in json)
            hash.AppendData(part.Span);
        return SHA256.HashData(hash.GetHashAndReset());
    }

    private static async Task<JobBody> OpenFormAsync(
        Stream body,
        Microsoft.Extensions.Primitives.StringSegment boundary,
        CancellationToken cancellationToken
    )
    {
        if (boundary.Length is 0 or > 70)
            throw GatewayException.BadRequest("malformed_form", "The form has no boundary of 1 to 70 characters.");
        var whole = new BoundedStream(body, Limits.JobBodyBytes);
        var reader = new MultipartReader(boundary.ToString(), whole, 64 << 10);
        var first = await NextAsync(reader, "job", cancellationToken);
        var jobPart = new BoundedStream(first.Body, Limits.JobPartBytes);
        var job = await ParseAsync(jobPart, cancellationToken);
        var second = await NextAsync(reader, "input", cancellationToken);
        var input = new BoundedStream(second.Body, Limits.JobBodyBytes);
        return new JobBody(job) { parts = { jobPart, input }, lines = input };
    }

    private static async Task<MultipartSection> NextAsync(
        MultipartReader reader,
        string name,
        CancellationToken cancellationToken
    )
    {
        MultipartSection? section;
        try
        {
            section = await reader.ReadNextSectionAsync(cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw GatewayException.BadRequest("malformed_form", "The form is malformed or ends in the middle.");
        }
        if (
            !ContentDispositionHeaderValue.TryParse(section?.ContentDisposition, out var disposition)
            || HeaderUtilities.RemoveQuotes(disposition.Name) != name
        )
        {
            throw GatewayException.BadRequest(
                "malformed_form",
                "The form needs the part job, then the part input, in this order."
            );
        }
        return section!;
    }

    private static async Task<JobRequest> ParseAsync(Stream part, CancellationToken cancellationToken)
    {
        using var json = new MemoryStream();
        await part.CopyToAsync(json, cancellationToken);
        return Parse(new ReadOnlySequence<byte>(json.GetBuffer(), 0, (int)json.Length));
    }

    private static JobRequest Parse(in ReadOnlySequence<byte> json)
    {
        try
        {
            return NativeJson.Read<JobRequest>(json);
        }
        catch (JsonException e)
        {
            throw GatewayException.BadRequest("invalid_json", $"The job is not valid: {NativeJson.Describe(e)}.");
        }
    }

    private static GatewayException Unsupported() =>
        new(
            System.Net.HttpStatusCode.UnsupportedMediaType,
            "unsupported_media_type",
            "Send application/json, or multipart/form-data with the parts job and input."
        );
}
