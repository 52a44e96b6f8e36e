using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace EgpuFleet.Api;

/// <summary>Calls about uploaded files.</summary>
public sealed partial class FleetClient
{
    public Task<Page<StoredFileInfo>> ListFilesAsync(string? purpose, CancellationToken cancellationToken) =>
        GetAsync<Page<StoredFileInfo>>(
            purpose is null ? Routes.Files : $"{Routes.Files}?purpose={Uri.EscapeDataString(purpose)}",
            cancellationToken
        );

    /// <summary>Uploads a file as it is read.</summary>
    public async Task<StoredFileInfo> UploadFileAsync(
        Stream content,
        string name,
        string purpose,
        CancellationToken cancellationToken
    )
    {
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent(purpose), "purpose");
        var file = new StreamContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(file, "file", name);
        return await PostAsync<StoredFileInfo>(Routes.Files, form, cancellationToken);
    }

    /// <summary>Writes a file's content into a stream as it arrives.</summary>
    public async Task DownloadFileAsync(string id, Stream into, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(
            new Uri(Routes.FileContent(id), UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        await ThrowOnErrorAsync(response, cancellationToken);
        await response.Content.CopyToAsync(into, cancellationToken);
    }

    public async Task<DeletedFileInfo> DeleteFileAsync(string id, CancellationToken cancellationToken)
    {
        using var response = await http.DeleteAsync(new Uri(Routes.File(id), UriKind.Relative), cancellationToken);
        return await ReadAsync<DeletedFileInfo>(response, cancellationToken);
    }

    /// <summary>What the routes under <c>/v1</c> say: OpenAI's error object.</summary>
    private static async Task<ProblemInfo?> ReadOpenAiErrorAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var answer = await response.Content.ReadFromJsonAsync<OpenAiErrorAnswer>(ApiJson.Options, cancellationToken);
        return answer?.Error is { } error
            ? new ProblemInfo(error.Code, null, (int)response.StatusCode, error.Message, null, null)
            : null;
    }

    private sealed record OpenAiErrorAnswer(OpenAiErrorInfo? Error);

    private sealed record OpenAiErrorInfo(string? Message, string? Code);
}
