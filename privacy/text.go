package privacy

// The languages of the portal. Every text for people exists in all three.
const (
	Bokmal  = "nb"
	Nynorsk = "nn"
	English = "en"
)

// Languages lists them, the default first.
var Languages = []string{Bokmal, Nynorsk, English}

// Text is one text in every language.
type Text struct {
	NB string `yaml:"nb"`
	NN string `yaml:"nn"`
	EN string `yaml:"en"`
}

// In is the text in a language, bokmål if the language is unknown.
func (t Text) In(lang string) string {
	switch lang {
	case Nynorsk:
		return t.NN
	case English:
		return t.EN
	}
	return t.NB
}
