using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>Reads one line of a training file; what is wrong with it becomes a finding.</summary>
internal sealed class TrainingLine(int number, TrainingFindings findings, HashSet<string> keysNamed)
{
    private const string OneLine = "Write one JSON object per line, as JSONL has it.";
    private const string Shapes =
        "Give each line messages (a conversation), or prompt and completion, or text; nothing else is trained on.";

    private static readonly JsonDocumentOptions Strict = new()
    {
        MaxDepth = Limits.TrainingJsonDepth,
        AllowDuplicateProperties = false,
    };

    /// <summary>Keys that change what a conversation means, so that leaving them out would train something else.</summary>
    private static readonly string[] Unsupported =
    [
        "tools",
        "functions",
        "parallel_tool_calls",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "audio",
    ];

    private readonly int errorsBefore = findings.Errors;

    private bool HasErrors => findings.Errors != errorsBefore;

    /// <summary>The record, or null where the line has errors.</summary>
    public TrainingRecord? Read(ReadOnlySequence<byte> line)
    {
        var bytes = line.ToArray();
        if (!Utf8.IsValid(bytes))
        {
            Error(TrainingFault.Encoding, "is not valid UTF-8", "Save the file as UTF-8.");
            return null;
        }
        try
        {
            using var json = JsonDocument.Parse(bytes, Strict);
            return Record(json.RootElement);
        }
        catch (JsonException e)
        {
            Error(TrainingFault.Json, $"is not valid JSON at byte {e.BytePositionInLine + 1}", OneLine);
        }
        catch (InvalidOperationException)
        {
            // The only thing that asking a text value for its text can still find.
            Error(TrainingFault.Encoding, "has half a surrogate pair in an escape", "Write the character itself.");
        }
        return null;
    }

    private TrainingRecord? Record(JsonElement line)
    {
        if (line.ValueKind != JsonValueKind.Object)
        {
            Error(TrainingFault.Json, "is not a JSON object", OneLine);
            return null;
        }
        var isChat = line.TryGetProperty("messages", out var messages);
        var isText = line.TryGetProperty("text", out _);
        var isCompletion = line.TryGetProperty("prompt", out _) || line.TryGetProperty("completion", out _);
        if ((isChat ? 1 : 0) + (isText ? 1 : 0) + (isCompletion ? 1 : 0) != 1)
        {
            Error(TrainingFault.Shape, "has none, or more than one, of messages, prompt and text", Shapes);
            return null;
        }
        TrainingRecord? record;
        if (isChat)
            record = Chat(line, messages);
        else if (isText)
            record = PlainText(line);
        else
            record = Completion(line);
        return HasErrors ? null : record;
    }

    private TextRecord PlainText(JsonElement line)
    {
        LookAtKeys(line, "", ["text"]);
        return new TextRecord(number, Filled(line, "text", ""));
    }

    private CompletionRecord Completion(JsonElement line)
    {
        LookAtKeys(line, "", ["prompt", "completion"]);
        return new CompletionRecord(number, Text(line, "prompt", "") ?? "", Filled(line, "completion", ""));
    }

    private ChatRecord? Chat(JsonElement line, JsonElement list)
    {
        LookAtKeys(line, "", ["messages"]);
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > Limits.TrainingMessages)
        {
            Error(
                TrainingFault.Value,
                $"messages is not a list of 1 to {Limits.TrainingMessages} messages",
                "Give each message a role and a content."
            );
            return null;
        }
        var messages = new List<TrainingMessage>(list.GetArrayLength());
        foreach (var element in list.EnumerateArray())
        {
            if (Message(element, $"messages[{messages.Count}]") is not { } message || HasErrors)
                return null;
            messages.Add(message);
        }
        if (!messages.Exists(message => message.IsTrained))
        {
            Error(
                TrainingFault.NothingToTrain,
                "has no message of the assistant that is trained",
                "Add what the assistant is to answer; a message of weight 0 does not count."
            );
        }
        else if (messages[^1].Role != "assistant")
        {
            findings.Warning(
                number,
                TrainingFault.TrailingMessages,
                "What comes after the last message of the assistant trains nothing.",
                "End the conversation with the assistant's answer."
            );
        }
        return new ChatRecord(number, messages);
    }

    private TrainingMessage? Message(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            Error(TrainingFault.Value, $"{name} is not an object", "Give each message a role and a content.");
            return null;
        }
        LookAtKeys(element, $"{name}.", ["role", "content", "weight"]);
        var role = Text(element, "role", $"{name}.");
        if (role is null)
            return null;
        if (role is not ("system" or "user" or "assistant"))
        {
            Error(TrainingFault.Value, $"{name}.role is not known", "Use system, user or assistant.");
            return null;
        }
        var content =
            role == "assistant" ? Filled(element, "content", $"{name}.") : Text(element, "content", $"{name}.");
        return new TrainingMessage(role, content ?? "", IsTrained(element, role, name));
    }

    private bool IsTrained(JsonElement message, string role, string name)
    {
        if (!message.TryGetProperty("weight", out var weight))
            return role == "assistant";
        var known = weight.ValueKind == JsonValueKind.Number && weight.TryGetInt32(out var value) && value is 0 or 1;
        if (!known || role != "assistant")
        {
            Error(
                TrainingFault.Value,
                $"{name}.weight is not allowed",
                "A message of the assistant may have the weight 0 or 1."
            );
            return false;
        }
        return weight.GetInt32() == 1;
    }

    private string Filled(JsonElement from, string key, string path)
    {
        if (Text(from, key, path) is not { } text)
            return "";
        if (text.Length == 0)
            Error(TrainingFault.EmptyText, $"{path}{key} is empty", "Leave out samples that have nothing to train.");
        return text;
    }

    private string? Text(JsonElement from, string key, string path)
    {
        if (!from.TryGetProperty(key, out var value) || value.ValueKind != JsonValueKind.String)
        {
            Error(TrainingFault.Value, $"{path}{key} is missing, or not a text", $"Give {key} as one text.");
            return null;
        }
        var text = value.GetString()!;
        if (!text.Contains('\0'))
            return text;
        Error(TrainingFault.Value, $"{path}{key} contains the character U+0000", "Remove it.");
        return null;
    }

    private void LookAtKeys(JsonElement from, string path, string[] known)
    {
        foreach (var property in from.EnumerateObject())
        {
            var key = property.Name;
            if (known.Contains(key, StringComparer.Ordinal))
                continue;
            if (Unsupported.Contains(key, StringComparer.Ordinal))
            {
                if (property.Value.ValueKind != JsonValueKind.Null)
                    Error(TrainingFault.Unsupported, $"{path}{key} is not supported", "Train on texts only.");
            }
            else if (keysNamed.Count < Limits.TrainingKeysNamed && keysNamed.Add(key))
            {
                var shown = key.Length > Limits.QuotedChars ? $"{key[..Limits.QuotedChars]}…" : key;
                findings.Warning(
                    number,
                    TrainingFault.UnknownKey,
                    $"The key \"{shown}\" is not known and is ignored, here and in later lines.",
                    "Check its spelling, or leave it out."
                );
            }
        }
    }

    private void Error(string code, string what, string suggestion) =>
        findings.Error(number, code, $"Line {number} {Joined(what)}.", suggestion);

    /// <summary>A message about the line goes on with "is"; one that names a value follows a colon.</summary>
    private static string Joined(string what) =>
        what.StartsWith("is ", StringComparison.Ordinal) || what.StartsWith("has ", StringComparison.Ordinal)
            ? what
            : $"has a fault: {what}";
}
