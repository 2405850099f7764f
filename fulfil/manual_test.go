package fulfil

import (
	"strings"
	"testing"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

func TestEveryTaskHasTexts(t *testing.T) {
	names := views.ManualNames{Recipient: "R-ecipient", Company: "C-ompany", Address: "a@example.no", Number: "100200"}
	for _, template := range []string{TaskFault, TaskStop, TaskErase, TaskKundo, TaskSveve, TaskKredinor, TaskEFaktura, TaskMessages, TaskAiia,
		TaskAds, TaskAudience, TaskAgreement} {
		for _, lang := range privacy.Languages {
			task := views.NewManualTask(i18n.With(t.Context(), lang), template, names)
			if strings.HasPrefix(task.Title, "manual.") || strings.HasPrefix(task.Steps, "manual.") || strings.Contains(task.Letter+task.Steps+task.Title, "nil") {
				t.Errorf("%s %s: %+v", template, lang, task)
			}
			// What Kundo asks for, word for word.
			if template == TaskKundo && (!strings.Contains(task.Letter, "Vi har bekräftat personen/personernas identitet.") || !strings.Contains(task.Letter, names.Address)) {
				t.Errorf("%s: %s", lang, task.Letter)
			}
			if strings.Contains(task.Letter, "fødselsnummer") {
				t.Errorf("%s %s names an identity number", template, lang)
			}
		}
	}
}
