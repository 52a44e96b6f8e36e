using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using OpenAI;
using OpenAI.Files;
using OpenAI.FineTuning;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>What a person with the official SDK does to have a model trained.</summary>
internal sealed class FineTuningRequest(Uri gateway)
{
    private readonly OpenAIClient client = new(
        new ApiKeyCredential("none"),
        new OpenAIClientOptions { Endpoint = new Uri(gateway, "/v1") }
    );

    public FineTuningClient FineTuning => client.GetFineTuningClient();

    public async Task<string> UploadAsync(string name, byte[] lines, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(lines);
        OpenAIFile file = await client
            .GetOpenAIFileClient()
            .UploadFileAsync(content, name, FileUploadPurpose.FineTune, cancellationToken);
        return file.Id;
    }

    /// <summary>Begins a run; the fields beyond the official ones are those of our own object.</summary>
    public async Task<FineTuningJob> CreateAsync(object request, CancellationToken cancellationToken)
    {
        using var body = BinaryContent.Create(BinaryData.FromBytes(JsonSerializer.SerializeToUtf8Bytes(request)));
        return await FineTuning.FineTuneAsync(
            body,
            waitUntilCompleted: false,
            new RequestOptions { CancellationToken = cancellationToken }
        );
    }

    public async Task<string> SayAsync(string model, string prompt, CancellationToken cancellationToken)
    {
        var options = new OpenAI.Chat.ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 32 };
        var answer = await client
            .GetChatClient(model)
            .CompleteChatAsync([new OpenAI.Chat.UserChatMessage(prompt)], options, cancellationToken);
        return answer.Value.Content[0].Text;
    }
}
