using System.Text;
using System.Text.Json;

namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>
/// Reads <c>{"name":…,"arguments":{…}}</c> as it comes. Arguments are told as they are, once the name is known; members that
/// mean nothing here are passed over.
/// </summary>
/// <param name="isTool">Whether a name can be that of a call.</param>
/// <param name="named">Told the name, before any argument.</param>
/// <param name="argued">Told the next part of the arguments.</param>
internal sealed class JsonCall(Func<string, bool> isTool, Action<string> named, Action<string> argued)
{
    private readonly StringBuilder key = new();
    private readonly StringBuilder value = new();
    private JsonExtent extent = new();
    private Place place = Place.Begin;
    private string? name;
    private string? arguments;
    private bool isPassing;

    private enum Place
    {
        Begin,
        Key,
        InKey,
        Colon,
        Value,
        InValue,
        Next,
        Done,
        Broken,
    }

    public bool IsDone => place == Place.Done;

    /// <summary>It is no call.</summary>
    public bool IsBroken => place == Place.Broken;

    public void Take(char character)
    {
        switch (place)
        {
            case Place.InKey:
                TakeKey(character);
                break;
            case Place.InValue:
                TakeValue(character);
                break;
            case Place.Value when !char.IsWhiteSpace(character):
                BeginValue(character);
                break;
            case not Place.Value when !char.IsWhiteSpace(character):
                place = (place, character) switch
                {
                    (Place.Begin, '{') => Place.Key,
                    (Place.Key, '"') => Place.InKey,
                    (Place.Colon, ':') => Place.Value,
                    (Place.Next, ',') => Place.Key,
                    (Place.Next or Place.Key, '}') => End(),
                    _ => Place.Broken,
                };
                break;
        }
    }

    private Place End()
    {
        if (name is null)
            return Place.Broken;
        if (arguments is null)
            argued("{}");
        return Place.Done;
    }

    private void TakeKey(char character)
    {
        if (character == '"')
            place = Place.Colon;
        else
            key.Append(character);
    }

    private void BeginValue(char character)
    {
        place = Place.InValue;
        extent = new JsonExtent();
        isPassing = IsArguments && name is not null && arguments is null && character == '{';
        TakeValue(character);
    }

    private bool IsArguments => key.ToString() is "arguments" or "parameters";

    private void TakeValue(char character)
    {
        var isPart = extent.Take(character);
        if (isPart)
            value.Append(character);
        if (isPart && isPassing)
            argued(character.ToString());
        if (!extent.IsComplete)
            return;
        place = Finish();
        key.Clear();
        value.Clear();
        if (!isPart && place == Place.Next)
            Take(character);
    }

    private Place Finish()
    {
        var text = value.ToString();
        if (key.ToString() is "name" or "tool_name" && name is null)
        {
            if (Text(text) is not { Length: > 0 and <= Limits.ToolNameChars } told || !isTool(told))
                return Place.Broken;
            name = told;
            named(told);
            if (arguments is not null)
                argued(arguments);
        }
        else if (IsArguments && arguments is null)
        {
            // Some models write them as a text that holds the object.
            arguments = text.StartsWith('"') ? Text(text) ?? text : text;
            if (name is not null && !isPassing)
                argued(arguments);
        }
        return Place.Next;
    }

    private static string? Text(string json)
    {
        try
        {
            return json.StartsWith('"') ? JsonSerializer.Deserialize<string>(json) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
