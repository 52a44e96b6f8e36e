using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Formats.Training;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>Files of training data as samples of tokens of one model.</summary>
internal sealed class SampleSource(GgufTokenizer tokenizer, ChatTemplate? template, int rowTokens)
{
    private readonly SampleEncoder encoder = new(tokenizer, template, rowTokens);

    public GgufTokenizer Tokenizer => tokenizer;

    /// <exception cref="GenerationException">The model has a chat template that is not understood.</exception>
    public static SampleSource Of(string modelPath, int rowTokens)
    {
        using var file = File.OpenRead(modelPath);
        var reader = GgufReader.Open(file);
        var tokenizer = GgufTokenizer.From(reader);
        try
        {
            return new SampleSource(tokenizer, ChatTemplate.Of(reader.Metadata, tokenizer), rowTokens);
        }
        catch (ChatTemplateException e)
        {
            throw new GenerationException("model_has_no_chat_template", e.Message, retryable: false);
        }
    }

    /// <exception cref="GenerationException"><c>invalid_training_file</c>: the first of its faults are in the message.</exception>
    public async Task<IReadOnlyList<TokenSample>> ReadAsync(
        string path,
        string name,
        CancellationToken cancellationToken
    )
    {
        var findings = new TrainingFindings(Limits.FindingsTold);
        await using var file = File.OpenRead(path);
        var data = await TrainingDataset.ReadAsync(file, encoder, rowTokens, findings, cancellationToken);
        if (data is not null)
            return data.Samples;
        var told = findings.Listed.Where(one => one.IsError).Select(one => $"{one.Message} {one.Suggestion}");
        throw new GenerationException(
            "invalid_training_file",
            Limits.Clip($"{name} has {findings.Errors} faults. {string.Join(' ', told)}"),
            retryable: false
        );
    }
}
