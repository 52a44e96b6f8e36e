using System.Net;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace EgpuFleet.Silo.Gateway.OpenAi.Files;

/// <summary>The parts of an upload's form, one after the other as they arrive; each must be read before the next.</summary>
internal sealed class UploadForm
{
    private const int BoundaryChars = 70;

    private readonly MultipartReader reader;
    private int parts;

    private UploadForm(MultipartReader reader) => this.reader = reader;

    /// <exception cref="GatewayException">It is no form, or larger than a file may be.</exception>
    public static UploadForm Open(HttpRequest request)
    {
        if (
            !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        )
            throw GatewayException.BadRequest(
                "unsupported_media_type",
                "Send multipart/form-data with the parts purpose and file."
            );
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        if (boundary.Length is 0 or > BoundaryChars)
            throw Malformed($"The form has no boundary of 1 to {BoundaryChars} characters.");
        if (request.ContentLength > Limits.FileBytes + (Limits.FormParts * Limits.FormFieldBytes))
            throw TooLarge();
        return new UploadForm(new MultipartReader(boundary.ToString(), request.Body, 64 << 10));
    }

    /// <summary>The next part; null at the end.</summary>
    public async Task<UploadPart?> NextAsync(CancellationToken cancellationToken)
    {
        MultipartSection? section;
        try
        {
            section = await reader.ReadNextSectionAsync(cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw Malformed("The form is malformed or ends in the middle.");
        }
        if (section is null)
            return null;
        if (++parts > Limits.FormParts)
            throw Malformed($"The form has more than {Limits.FormParts} parts.");
        return ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
            ? new UploadPart(section.Body, disposition)
            : throw Malformed("A part of the form has no name.");
    }

    public static GatewayException Wrong(string part, string what) =>
        new(HttpStatusCode.BadRequest, $"invalid_{part}", $"{part} {what}.") { Param = part };

    public static GatewayException TooLarge() =>
        GatewayException.TooLarge($"A file may have {Limits.FileBytes >> 20} MiB.");

    private static GatewayException Malformed(string what) => GatewayException.BadRequest("malformed_form", what);
}

/// <summary>One part of the form.</summary>
internal sealed class UploadPart(Stream body, ContentDispositionHeaderValue disposition)
{
    public string Name { get; } = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();

    /// <summary>The file's bytes; reading fails beyond the limit, and where the caller leaves.</summary>
    public Stream Content() => new BoundedStream(body, Limits.FileBytes);

    /// <summary>A short text.</summary>
    public async Task<string> ReadTextAsync(CancellationToken cancellationToken)
    {
        await using var bounded = new BoundedStream(body, Limits.FormFieldBytes);
        using var bytes = new MemoryStream();
        await bounded.CopyToAsync(bytes, cancellationToken);
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>What the uploader calls the file, without folders.</summary>
    /// <exception cref="GatewayException">It has no name that can be shown.</exception>
    public string RequireFileName()
    {
        var given = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
        var full = HeaderUtilities.RemoveQuotes(given).ToString();
        var name = full[(full.LastIndexOfAny(['/', '\\']) + 1)..];
        return name.Length is 0 or > Limits.FileNameLength || name.Any(char.IsControl)
            ? throw UploadForm.Wrong("file", $"needs a filename of 1 to {Limits.FileNameLength} characters")
            : name;
    }
}
