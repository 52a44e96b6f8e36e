using System.Globalization;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary><c>logit_bias</c>: what is added to the logits of some tokens, by their ids.</summary>
internal static class LogitBiasField
{
    private const string Name = "logit_bias";
    private const double Highest = 100;

    /// <returns>Null: none. Of a token that is named twice, the last word counts.</returns>
    public static LogitBias[]? Read(RequestFields fields)
    {
        if (fields.Value(Name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Object)
            throw RequestFields.Wrong(Name, "must be an object of token ids and numbers");
        var biases = new Dictionary<int, double>();
        foreach (var entry in value.EnumerateObject())
        {
            biases[TokenOf(entry)] =
                entry.Value.ValueKind == JsonValueKind.Number
                && entry.Value.TryGetDouble(out var bias)
                && Math.Abs(bias) <= Highest
                    ? bias
                    : throw RequestFields.Wrong(Name, $"must have numbers from -{Highest} to {Highest} only");
            if (biases.Count > Limits.LogitBiases)
                throw RequestFields.Wrong(Name, $"names more than {Limits.LogitBiases} tokens");
        }
        return biases.Count == 0 ? null : [.. biases.Select(entry => new LogitBias(entry.Key, entry.Value))];
    }

    private static int TokenOf(JsonProperty entry)
    {
        try
        {
            return int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token)
                ? token
                : throw RequestFields.Wrong(Name, $"names tokens by their ids, which \"{entry.Name}\" is not");
        }
        catch (InvalidOperationException)
        {
            throw RequestFields.Wrong(Name, "has a name that is not valid text");
        }
    }
}
