using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Formats.Lines;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// Turns the input of a batch into its items, one at a time, and refuses the first that is wrong with its place and
/// reason. One instance serves one request: it remembers the names seen.
/// </summary>
/// <param name="model">Null for no-ops, whose items are payloads.</param>
internal sealed class BatchItems(ModelRecord? model)
{
    private static readonly string[] Roles = ["system", "user", "assistant"];

    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    /// <summary>Items of a JSONL stream; blank lines count as lines but make no item.</summary>
    public async IAsyncEnumerable<BatchItem> FromLinesAsync(
        Stream input,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var lines = new LineReader(input, Limits.LineBytes);
        while (await lines.ReadAsync(cancellationToken))
        {
            var number = lines.Number;
            if (lines.IsTooLong)
                throw InputFault.At(number, $"longer than {Limits.LineBytes} bytes");
            var json = JsonLine.WithoutMark(lines.Line, number);
            if (!JsonLine.IsBlank(json))
                yield return Item(Parse(json, number), reason => InputFault.At(number, reason));
        }
        if (names.Count == 0)
            throw GatewayException.Invalid("input", "has no lines");
    }

    /// <summary>Items given in the request itself.</summary>
    public IReadOnlyList<BatchItem> FromList(IReadOnlyList<BatchLine?> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
            throw GatewayException.Invalid("items", "is empty");
        var made = new List<BatchItem>(Math.Min(items.Count, Limits.ItemsPerJob));
        for (var i = 0; i < items.Count; i++)
        {
            var index = i;
            made.Add(
                Item(items[i] ?? throw InputFault.AtItem(i, "is null"), reason => InputFault.AtItem(index, reason))
            );
        }
        return made;
    }

    private static BatchLine Parse(ReadOnlySequence<byte> json, int line)
    {
        try
        {
            return NativeJson.Read<BatchLine>(json);
        }
        catch (JsonException e)
        {
            throw InputFault.At(line, NativeJson.Describe(e));
        }
    }

    private BatchItem Item(BatchLine line, Func<string, GatewayException> fault)
    {
        var index = names.Count;
        if (index == Limits.ItemsPerJob)
            throw fault($"a job has at most {Limits.ItemsPerJob} items");
        if (line.Prompt is null == line.Messages is null)
            throw fault("needs either prompt or messages");
        var name = line.CustomId ?? index.ToString(CultureInfo.InvariantCulture);
        if (name.Length is 0 or > Limits.CustomIdLength || name.Any(char.IsControl))
            throw fault($"custom_id must have 1 to {Limits.CustomIdLength} characters and no control characters");
        if (!names.Add(name))
            throw fault($"the custom_id '{name}' is already used by an earlier item");
        if (line.Prompt is { } prompt && !Texts.IsStorable(prompt))
            throw fault("prompt contains the character U+0000");
        if (model is null && line.Prompt is not null && Encoding.UTF8.GetByteCount(line.Prompt) > Limits.PayloadBytes)
            throw fault($"the payload of a noop has at most {Limits.PayloadBytes} bytes");
        return new BatchItem(index, name, line.Prompt, line.Messages is null ? null : Messages(line.Messages, fault));
    }

    private ChatMessage[] Messages(IReadOnlyList<ChatTurn?> turns, Func<string, GatewayException> fault)
    {
        if (model is null)
            throw fault("a noop takes no messages; give a prompt");
        if (!model.HasChatTemplate)
            throw fault($"the model {model.Ref.Name} has no chat template; give a prompt");
        if (turns.Count is 0 or > Limits.ChatMessages)
            throw fault($"messages must have 1 to {Limits.ChatMessages} entries");
        var messages = new ChatMessage[turns.Count];
        for (var i = 0; i < messages.Length; i++)
        {
            if (turns[i] is not { Role: { } role, Content: { } content })
                throw fault($"messages[{i}] needs role and content");
            if (!Roles.Contains(role, StringComparer.Ordinal))
                throw fault($"messages[{i}].role must be system, user or assistant");
            if (!Texts.IsStorable(content))
                throw fault($"messages[{i}].content contains the character U+0000");
            messages[i] = new ChatMessage(role, content);
        }
        return messages;
    }
}
