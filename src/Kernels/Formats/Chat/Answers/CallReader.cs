using System.Text;

namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>Reads what stands behind the marker of a call, up to behind its end.</summary>
internal sealed class CallReader
{
    private readonly AnswerSyntax syntax;
    private readonly ToolSyntax tools;
    private readonly Action<AnswerPiece> tell;

    // What was taken, in case that it is no call.
    private readonly StringBuilder raw;
    private JsonCall? json;
    private JsonExtent? arguments;
    private bool inList;
    private bool isClosing;
    private bool hasCalled;
    private bool hasArgued;

    public CallReader(AnswerSyntax syntax, string marker, Action<AnswerPiece> tell)
    {
        this.syntax = syntax;
        tools = syntax.Tools!;
        this.tell = piece =>
        {
            hasCalled = true;
            tell(piece);
        };
        raw = new StringBuilder(marker);
    }

    public bool IsOver { get; private set; }

    /// <summary>When it is over: the text that was no call; empty: it was one.</summary>
    public string Rest { get; private set; } = "";

    /// <param name="text">What follows.</param>
    /// <param name="isLast">No more text comes.</param>
    /// <returns>What is left of it.</returns>
    public string Take(string text, bool isLast)
    {
        while (text.Length > 0 && !IsOver)
        {
            var before = text.Length;
            text = isClosing
                ? Close(text, isLast)
                : tools.Body switch
                {
                    ToolBody.Json => TakeJson(text),
                    ToolBody.NamedJson when arguments is null => TakeName(text),
                    ToolBody.NamedJson => TakeArguments(text),
                    _ => TakeTagged(text),
                };
            if (text.Length == before)
                break;
        }
        return text;
    }

    /// <summary>The text ends in the middle.</summary>
    /// <returns>What was no call.</returns>
    public string Abandon() => hasCalled ? "" : raw.ToString();

    private string TakeJson(string text)
    {
        var at = 0;
        while (at < text.Length && !isClosing && !IsOver)
        {
            var character = text[at++];
            raw.Append(character);
            if (json is not null)
                TakeCall(json, character);
            else if (!char.IsWhiteSpace(character))
                BeginJson(character);
        }
        return text[at..];
    }

    private void BeginJson(char character)
    {
        switch (character)
        {
            case '[' when !inList:
                inList = true;
                break;
            case ']' when inList:
                isClosing = true;
                break;
            case ',' when inList && hasCalled:
                break;
            case '{':
                json = new JsonCall(IsTool, name => tell(new Called(0, name)), part => tell(new Argued(0, part)));
                json.Take(character);
                break;
            default:
                Break();
                break;
        }
    }

    private void TakeCall(JsonCall reading, char character)
    {
        reading.Take(character);
        if (reading.IsBroken)
            Break();
        if (!reading.IsDone)
            return;
        json = null;
        isClosing = !inList;
    }

    private string TakeName(string text)
    {
        if (text.IndexOf(tools.AfterName, StringComparison.Ordinal) is var at && at < 0)
        {
            // Between two markers stands a name, and nothing longer.
            if (text.Length > Limits.ToolNameChars)
                Break(text);
            return IsOver ? "" : text;
        }
        var name = text[..at].Trim();
        if (name.StartsWith(tools.BeforeName, StringComparison.Ordinal))
            name = name[tools.BeforeName.Length..];
        // Some number their calls.
        name = name.Split(':')[0].Trim();
        raw.Append(text.AsSpan(0, at + tools.AfterName.Length));
        if (name.Length is 0 or > Limits.ToolNameChars)
            Break();
        else
            tell(new Called(0, name));
        arguments = new JsonExtent();
        return text[(at + tools.AfterName.Length)..];
    }

    private string TakeArguments(string text)
    {
        text = hasArgued ? text : text.TrimStart();
        var at = 0;
        while (at < text.Length && arguments!.Take(text[at]))
            at++;
        if (at > 0)
            tell(new Argued(0, text[..at]));
        hasArgued |= at > 0;
        isClosing = arguments!.IsComplete;
        return text[at..];
    }

    private string TakeTagged(string text)
    {
        var at = text.IndexOf(tools.Close, StringComparison.Ordinal);
        if (at < 0)
            return text;
        var body = text[..at];
        if (TaggedCall.Read(tools.Body, body, syntax.IsText) is not var (name, found))
        {
            Break(body);
            return text[at..];
        }
        tell(new Called(0, name));
        tell(new Argued(0, found));
        isClosing = true;
        return text[at..];
    }

    /// <summary>White space and the closing marker, where they are.</summary>
    private string Close(string text, bool isLast)
    {
        var trimmed = text.TrimStart();
        string[] ends = [tools.AfterArguments.Trim(), tools.Close];
        foreach (var end in ends.Where(one => one.Length > 0))
        {
            if (trimmed.StartsWith(end, StringComparison.Ordinal))
            {
                IsOver = end == tools.Close;
                return trimmed[end.Length..];
            }
            if (!isLast && end.StartsWith(trimmed, StringComparison.Ordinal))
                return text;
        }
        IsOver = true;
        return text;
    }

    private bool IsTool(string name) => tools.Open.Length > 0 || syntax.IsTool?.Invoke(name) is not false;

    private void Break(string text)
    {
        raw.Append(text);
        Break();
    }

    private void Break()
    {
        IsOver = true;
        Rest = Abandon();
    }
}
