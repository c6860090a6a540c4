import Bytes

/// Language codes of dumps, as two-letter codes where there is one.
///
/// - Source: ISO 639-1 and 639-3 as the Library of Congress lists them; the languages that the CLD2 of Common Crawl names.
enum LanguageCodes {
  private static let twoLetters: [String: String] = {
    let list =
      "afr=af amh=am ara=ar aze=az bel=be ben=bn bos=bs bre=br bul=bg cat=ca ceb=ceb ces=cs cos=co cym=cy dan=da deu=de "
      + "ell=el eng=en epo=eo est=et eus=eu fao=fo fas=fa fin=fi fra=fr fry=fy gle=ga glg=gl grn=gn guj=gu hat=ht hau=ha "
      + "heb=he hin=hi hrv=hr hun=hu hye=hy ibo=ig ice=is ind=id ina=ia isl=is ita=it jav=jv jpn=ja kal=kl kan=kn kat=ka "
      + "kaz=kk khm=km kin=rw kir=ky kor=ko kur=ku lao=lo lat=la lav=lv lit=lt ltz=lb mal=ml mar=mr mkd=mk mlg=mg mlt=mt "
      + "mon=mn mri=mi msa=ms mya=my nep=ne nld=nl nno=nn nob=nb nor=no oci=oc ori=or orm=om pan=pa pol=pl por=pt pus=ps "
      + "que=qu roh=rm ron=ro run=rn rus=ru san=sa sin=si slk=sk slv=sl sna=sn snd=sd som=so sot=st spa=es sqi=sq srp=sr "
      + "sun=su swa=sw swe=sv tam=ta tat=tt tel=te tgk=tg tgl=tl tha=th tir=ti ton=to tsn=tn tuk=tk tur=tr uig=ug ukr=uk "
      + "urd=ur uzb=uz vie=vi vol=vo war=war wol=wo xho=xh yid=yi yor=yo zho=zh zul=zu"
    var table: [String: String] = [:]
    for pair in list.split(separator: " ") {
      let parts = pair.split(separator: "=")
      table[String(parts[0])] = String(parts[1])
    }
    return table
  }()

  /// The first language of `eng,fra` as a two-letter code, or as written (lower case) where there is none; nil if empty.
  static func primary(ofList list: String) -> String? {
    guard let first = list.split(separator: ",").first else { return nil }
    let code = first.trimmingASCIISpace.lowercased()
    guard !code.isEmpty, code.utf8.count <= 8, code.utf8.allSatisfy(\.isASCIILetter) else { return nil }
    return twoLetters[code] ?? code
  }
}

extension Substring {
  var trimmingASCIISpace: Substring {
    var part = self
    while let first = part.utf8.first, first.isASCIISpace { part.removeFirst() }
    while let last = part.utf8.last, last.isASCIISpace { part.removeLast() }
    return part
  }
}
